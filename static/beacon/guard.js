// Nothing of ours ever throws into the page: each collector runs behind a guard and is silent after three faults.

const FAULTS = 3;

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

/** Listen on `target` with a guarded handler, before the page's own can stop the event. */
export function listen(target, name, work) {
  target.addEventListener(name, guarded(work), true);
}
