// The socket: hello, welcome, frames both ways, and coming back as the close code's range says.

import { guarded, onInput } from './guard.js';
import { decode, encode } from './msgpack.js';

const PATIENCE_MS = 10000; // for a welcome, and for an ack; who was connected for longer begins anew with the jitter
const ELSEWHERE = 4100;

/** What a close code asks of us: 'stop', 'anew' (drop the token, come back) or 'again'. */
export function fate(code) {
  const range = Math.floor(code / 100);
  if (code === 1003 || code === 1009 || range === 40) return 'stop';
  return range === 42 ? 'anew' : 'again';
}

/** Full jitter: between nothing and 1 s, 2 s, 4 s ... 30 s. */
export function delay(tries, random = Math.random) {
  return random() * Math.min(30000, 1000 * 2 ** tries);
}

/**
 * A link that opens `await address()`, says `hello()` and passes on what comes.
 * `on` = {message(array), down(), anew()}; `on.message` sees the welcome first.
 */
export function createLink(address, hello, on) {
  let socket = null;
  let ready = false;
  let paused = true;
  let stopped = false;
  let tries = 0;
  let timer = 0;
  let watchdog = 0;
  let since = 0;

  const connect = guarded(async () => {
    timer = 0;
    const url = await address();
    if (paused || stopped || socket) return;
    const mine = new WebSocket(url);
    socket = mine;
    mine.binaryType = 'arraybuffer';
    mine.onopen = () => mine.send(encode(hello()));
    mine.onmessage = ({ data }) => mine === socket && receive(data);
    mine.onclose = ({ code }) => mine === socket && lost(code);
    watch(PATIENCE_MS);
  });

  const receive = guarded((data) => {
    const message = decode(data);
    if (message[0] === 1) {
      ready = true;
      since = Date.now();
      watch(0);
    }
    on.message(message);
  });

  function watch(ms) {
    clearTimeout(watchdog);
    watchdog = ms ? setTimeout(() => lost(0), ms) : 0;
  }

  function leave() {
    const old = socket;
    const was = ready;
    socket = null;
    ready = false;
    watch(0);
    old?.close();
    if (was) on.down();
  }

  function lost(code) {
    const next = fate(code);
    if (ready && Date.now() - since > PATIENCE_MS) tries = 0;
    leave();
    if (next === 'stop') stopped = true;
    if (next === 'anew') on.anew();
    if (stopped || paused || timer) return;
    if (code === ELSEWHERE) onInput(() => paused || timer || connect()); // the session follows the tab that is used
    else timer = setTimeout(connect, delay(tries++));
  }

  /** Is there a welcomed socket that is not about to close? */
  const usable = () => ready && socket.readyState === 1;

  function rest() {
    clearTimeout(timer);
    timer = 0;
  }

  return {
    /** Connect now, if not connected. */
    open() {
      paused = false;
      rest();
      if (!socket) connect();
    },
    /** Disconnect and stay away until `open()`. */
    pause() {
      paused = true;
      rest();
      leave();
    },
    /** Send a message now; false if there is no welcomed socket. */
    send(message) {
      const can = usable();
      if (can) socket.send(encode(message));
      return can;
    },
    /** Does the service owe us an ack? If none comes in time, the link is taken for dead. */
    owed(waiting) {
      if (ready && (!waiting || !watchdog)) watch(waiting ? PATIENCE_MS : 0);
    },
    usable,
  };
}
