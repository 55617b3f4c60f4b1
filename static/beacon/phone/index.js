// An open chat on a phone is a dialog: it lies over the page, keeps the focus, and the phone's own way back leaves it, without an
// entry in the history. Fetched when a chat is opened on a small screen.

const SMALL = '(max-width: 480px)';
const STOPS = 'button, textarea, input, a[href], [tabindex="0"]';

export function mount() {
  return { follow };
}

/** While `panel` is shown on a small screen it is modal; `minimise()` is what Back does. */
function follow(panel, minimise) {
  const small = matchMedia(SMALL);
  let watcher = null;
  const look = () => {
    const modal = small.matches && !panel.hidden && panel.isConnected;
    panel.setAttribute('role', modal ? 'dialog' : 'region');
    panel.toggleAttribute('aria-modal', modal);
    if (modal) panel.setAttribute('aria-modal', 'true');
    if (modal && !watcher && window.CloseWatcher) {
      watcher = new CloseWatcher();
      watcher.onclose = () => {
        watcher = null;
        minimise();
      };
    } else if (!modal) {
      watcher?.destroy();
      watcher = null;
    }
  };
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Tab' || panel.getAttribute('role') !== 'dialog') return;
    const stops = [...panel.querySelectorAll(STOPS)].filter((stop) => !stop.disabled && stop.getClientRects().length);
    const [first, last] = [stops[0], stops[stops.length - 1]];
    const at = panel.getRootNode().activeElement;
    if (at !== (event.shiftKey ? first : last)) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  });
  small.addEventListener('change', look);
  new MutationObserver(look).observe(panel, { attributes: true, attributeFilter: ['hidden'] });
  look();
}
