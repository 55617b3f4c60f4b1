// Errors of scripts and requests that failed: only that there was one. Nothing is patched to see them.

const ERROR = 21;
const MOST = 5; // a page view

export function followFaults({ add, guarded, listen, on }) {
  let left = MOST;
  const tell = (kind) => left-- > 0 && add([ERROR, kind]);
  on('page', () => { left = MOST; });
  listen(window, 'error', ({ message }) => message && tell('script'));
  listen(window, 'unhandledrejection', () => tell('script'));
  new PerformanceObserver(guarded((list) => {
    list.getEntries().forEach(({ responseStatus }) => responseStatus >= 400 && tell('request'));
  })).observe({ type: 'resource' });
}
