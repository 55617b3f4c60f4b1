// The shop's own way to a person: a click on what carries `data-router-chat` asks for one, of the queue that it names. Where
// the chat cannot be drawn or fetched, a link leads where it leads without us.

const MARK = '[data-router-chat]';

export function followAsks({ address, chunk, guarded, listen, open }) {
  if (address.searchParams.has('launcher')) guarded(chunk('launcher'))();
  listen(document, 'click', (event) => {
    const asked = event.target.closest?.(MARK);
    if (!asked || event.defaultPrevented || !('adoptedStyleSheets' in document)) return;
    event.preventDefault();
    open(asked.dataset.routerChat || undefined).catch(() => asked.href && location.assign(asked.href));
  }, { passive: false });
}
