// Rage: three clicks or more within a second and thirty pixels. Dead: a click on what looks as if it did something,
// after which nothing happens for a second.

const RAGE = 17;
const DEAD = 18;
const WITHIN_MS = 1000;
const NEAR = 30;
const ACTIVE = 'button,[role=button],[onclick],a[href^="#"],a:not([href])';
const WORKING = 'input,select,textarea,label,summary,video,audio,option,[data-router-chat]';
const SIGNS = ['scroll', 'submit', 'popstate', 'hashchange', 'pagehide', 'selectionchange', 'toggle'];

export function followClicks({ add, guarded, listen, now }) {
  let burst = [];
  let ending = 0;

  function end() {
    if (burst.length >= 3) add([RAGE, burst.length]);
    burst = [];
  }

  function angry({ clientX: x, clientY: y }) {
    const [first] = burst;
    if (first && (now() - burst[burst.length - 1].at > WITHIN_MS || Math.hypot(x - first.x, y - first.y) > NEAR)) end();
    burst.push({ x, y, at: now() });
    clearTimeout(ending);
    ending = setTimeout(guarded(end), WITHIN_MS);
  }

  let signs = 0; // of life
  const live = () => { signs++; };
  SIGNS.forEach((name) => listen(window, name, live));
  listen(document, 'focusin', ({ target }) => target.matches?.(WORKING) && live());
  new PerformanceObserver(live).observe({ type: 'resource' });

  function awaited() {
    const before = signs;
    const observer = new MutationObserver(live);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    setTimeout(guarded(() => {
      observer.disconnect();
      if (signs === before) add([DEAD]);
    }), WITHIN_MS);
  }

  listen(document, 'click', (event) => {
    const { target } = event;
    if (!event.isTrusted || !target.closest || target.localName === 'router-ui') return;
    angry(event);
    const working = target.closest(WORKING) || target.closest('a[href]:not([href^="#"])');
    const looks = target.closest(ACTIVE) || getComputedStyle(target).cursor === 'pointer';
    if (looks && !working && document.visibilityState === 'visible') awaited();
  });
}
