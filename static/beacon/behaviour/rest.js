// A tab that nobody sees and in which nobody talks needs no socket: it lets go of it after a while, and takes one again when
// it is looked at.

const REST_MS = 60000;

export function followRest({ connect, listen, on, rest }) {
  let talking = false;
  let resting = false;
  let timer = 0;
  on('conversation', ({ state }) => { talking = !/closed|wrap|form|refused/.test(state); });
  listen(document, 'visibilitychange', () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') {
      timer = setTimeout(() => {
        resting = !talking;
        if (resting) rest();
      }, REST_MS);
    } else if (resting) {
      resting = false;
      connect();
    }
  });
}
