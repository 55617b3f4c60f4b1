// The link to the service: one socket at a time, opened with a fresh ticket, brought back by the close code's range.

const ANSWER_MS = 8_000; // an unanswered request means a dead connection that nobody has noticed yet
const OPEN_MS = 10_000;
const BEAT_MS = 25_000; // a browser hides the server's pings, so the console asks for itself whether the link lives
const SETTLED_MS = 5_000; // a connection that lasted this long was a good one: the next wait starts small again
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** What a close code asks of the client: "stop", "login" (come back as somebody new) or "again". */
export function verdict(code) {
  if (code === 1003 || code === 1009 || (code >= 4000 && code < 4100)) return "stop";
  return code >= 4200 && code < 4300 ? "login" : "again";
}

/** Full jitter: anything between nothing and a bound that doubles from 1 s to 30 s. `chance` is in [0, 1). */
export function wait(attempt, chance) {
  return chance * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
}

/**
 * Keeps one socket open until `stop()`.
 *
 * `ticket()` resolves to a ticket, or rejects with `{status}`; `connect(ticket)` makes a WebSocket; `onMessage(m)`
 * gets what the server sends on its own; `onState(s)` gets `{status, code?, until_ms?}` with status connecting,
 * open, waiting, stopped or login. `env` = `{now, random, after(fn, ms) -> cancel}`.
 */
export class Link {
  constructor({ ticket, connect, onMessage, onState, env }) {
    Object.assign(this, { ticket, connect, onMessage, onState, env });
    this.attempt = 0;
    this.ref = 0;
    this.asked = new Map();
    this.socket = null;
    this.turn = 0; // grows with each attempt: whatever belongs to an older one is ignored
    this.cancel = () => {};
  }

  /** Connect now, whatever went on before. */
  start() {
    this.drop();
    const turn = ++this.turn;
    this.onState({ status: "connecting" });
    this.ticket().then(
      (ticket) => turn === this.turn && this.open(ticket, turn),
      (error) => turn === this.turn && (error.status === 401 ? this.end("login", 0) : this.retry()),
    );
  }

  stop() {
    this.turn++;
    this.drop();
  }

  /** Ask, and get the answer; rejects with `{error, text, retry}`, error "lost" if the connection went away. */
  request(t, fields) {
    if (!this.live) return Promise.reject({ error: "lost", retry: true });
    const ref = ++this.ref;
    return new Promise((resolve, reject) => {
      const cancel = this.env.after(() => this.lost(this.turn, 0), ANSWER_MS);
      this.asked.set(ref, { resolve, reject, cancel });
      this.socket.send(JSON.stringify({ t, ref, ...fields }));
    });
  }

  open(ticket, turn) {
    const socket = (this.socket = this.connect(ticket));
    this.cancel = this.env.after(() => this.lost(turn, 0), OPEN_MS);
    socket.onmessage = (event) => turn === this.turn && this.receive(JSON.parse(event.data));
    socket.onclose = (event) => this.lost(turn, event.code);
  }

  receive(message) {
    if (message.t === "ok" || message.t === "error") return this.answer(message);
    if (message.t === "hello") this.greeted();
    this.onMessage(message);
  }

  greeted() {
    this.cancel();
    this.live = true;
    this.since = this.env.now();
    this.beat();
    this.onState({ status: "open" });
  }

  /** Ask now and then: an agent whose link died in silence would look available and never be rung. */
  beat() {
    this.cancel = this.env.after(() => {
      this.request("ping", {}).catch(() => {});
      this.beat();
    }, BEAT_MS);
  }

  answer(message) {
    const asked = this.asked.get(message.ref);
    if (!asked) return;
    this.asked.delete(message.ref);
    asked.cancel();
    if (message.t === "ok") asked.resolve(message);
    else asked.reject(message);
  }

  lost(turn, code) {
    if (turn !== this.turn) return;
    if (this.live && this.env.now() - this.since >= SETTLED_MS) this.attempt = 0;
    this.turn++;
    this.drop();
    const what = verdict(code);
    if (what === "again") this.retry();
    else this.end(what === "stop" ? "stopped" : "login", code);
  }

  retry() {
    const turn = ++this.turn;
    const ms = wait(this.attempt++, this.env.random());
    this.onState({ status: "waiting", until_ms: this.env.now() + ms });
    this.cancel = this.env.after(() => turn === this.turn && this.start(), ms);
  }

  end(status, code) {
    this.turn++;
    this.onState({ status, code });
  }

  /** Let go of the socket without waiting for its close frame, and tell everybody who waits for an answer. */
  drop() {
    this.cancel();
    this.live = false;
    const { socket, asked } = this;
    this.socket = null;
    this.asked = new Map();
    if (socket) {
      socket.onclose = socket.onmessage = null;
      socket.close();
    }
    for (const { reject, cancel } of asked.values()) {
      cancel();
      reject({ error: "lost", retry: true });
    }
  }
}
