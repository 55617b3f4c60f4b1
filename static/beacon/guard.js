// Nothing of ours ever throws into the page: each collector runs behind a guard and is silent after three faults.

const FAULTS = 3;
const CALM_MS = 5000;

/** A function that runs `work`, swallows what it throws, and after three faults does nothing any more. */
export function guarded(work) {
  let faults = 0;
  return function run(...args) {
    if (faults >= FAULTS) return undefined;
    try {
      const result = work.apply(this, args);
      result?.catch?.(() => faults++);
      return result;
    } catch {
      faults++;
      return undefined;
    }
  };
}

const life = new AbortController();

/** Listen on `target` with a guarded handler, before the page's own can stop the event, until `silence()`. */
export function listen(target, name, work, more) {
  target.addEventListener(name, guarded(work), { capture: true, passive: true, signal: life.signal, ...more });
}

/** Nothing that listens hears anything any more. */
export const silence = () => life.abort();

/** Do it once the page is idle after its load, at the first input, or after 5 s. */
export function whenCalm(work) {
  let done = false;
  const once = () => {
    if (!done) work();
    done = true;
  };
  const idle = () => (window.requestIdleCallback || setTimeout)(once);
  if (document.readyState === 'complete') idle();
  else listen(window, 'load', idle);
  onInput(once);
  setTimeout(once, CALM_MS);
}

/** At the next pointer or key. */
export function onInput(work) {
  for (const name of ['pointerdown', 'keydown']) listen(window, name, work, { once: true });
}
