// A button that stands on every page and asks for a person: only where the shop turned it on (`launcher=` in the script's
// address, with or without a queue). It makes room while a chat or an invite is there.

import { el } from '../widget/host.js';
import { further } from '../further.js';
import { textsFor } from './texts.js';
import style from './style.css';

/** Draw it. `core`: address, language, open. */
export async function mount(core) {
  if (document.querySelector('router-launcher') || !('adoptedStyleSheets' in document)) return;
  const texts = await further(core, 'launcher', textsFor(core.language()));
  const host = document.createElement('router-launcher');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  root.append(el('button', { lang: texts.language, onclick: () => core.open(core.address.searchParams.get('launcher') || undefined) },
    el('span', { class: 'bubble', 'aria-hidden': 'true' }), el('span', { text: texts.open })));
  document.documentElement.append(host);
  makeRoom(host);
}

/** Hidden while the widget shows anything: its own button, panel or card says the same and more. */
function makeRoom(host) {
  const look = () => {
    const stack = document.querySelector('router-ui')?.shadowRoot.querySelector('.stack');
    host.toggleAttribute('hidden', !!stack && [...stack.children].some((child) => !child.hidden));
    return stack;
  };
  const watch = new MutationObserver(look);
  const found = new MutationObserver(() => {
    const stack = look();
    if (!stack) return;
    found.disconnect();
    watch.observe(stack, { childList: true, subtree: true, attributes: true, attributeFilter: ['hidden'] });
  });
  found.observe(document.documentElement, { childList: true });
}
