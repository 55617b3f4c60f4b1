// What the agent can do, and what the console does by itself: asks, sends again, fetches what is missing.

import * as api from "./api.js";
import { forget, recall, remember, set } from "./keep.js";
import { Link } from "./socket.js";
import { lastOffset, missing, mine, toSend } from "./store.js";

const NOTE_PAUSE_MS = 800;
const TYPING_EVERY_MS = 2_000;
const TYPING_IDLE_MS = 4_000;
const HISTORY_PAUSE_MS = 150; // a line that is on its way need not be asked for
const RETRY_MS = 2_000;
const HAS_THREAD = new Set(["active", "wrap-up"]);

/** The console's real clock, chance and timers. */
export const browser = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export class Desk {
  constructor(store, env = browser) {
    this.store = store;
    this.env = env;
    this.sending = new Set();
    this.fetching = new Set();
    this.timers = {};
    this.typing = {};
    this.link = new Link({
      ticket: async () => (await api.ticket(this.me.csrf)).ticket,
      connect: (ticket) => new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/agent?ticket=${encodeURIComponent(ticket)}`),
      onMessage: (message) => this.receive(message),
      onState: (link) => this.linked(link),
      env,
    });
    store.listen((state, before) => this.changed(state, before));
  }

  get me() {
    return this.store.get().me;
  }

  talk(cid) {
    return this.store.get().talks[cid];
  }

  dispatch(t, fields = {}) {
    this.store.dispatch({ t, ...fields });
  }

  // --- coming and going

  /** Take up the login session of this browser, or show the form. */
  async start() {
    try {
      this.enter(await api.me());
    } catch (error) {
      this.dispatch("logged_out", { notice: error.status === 401 ? null : { key: "unreachable" } });
    }
  }

  /** Rejects with the named error if the service refuses. */
  async login(fields) {
    const me = await api.login(fields);
    set("site", fields.site);
    this.enter(me);
  }

  enter(me) {
    this.dispatch("logged_in", { me });
    this.link.start();
  }

  async logout() {
    const { me } = this;
    this.link.stop();
    forget(me);
    this.dispatch("logged_out");
    await api.logout(me.csrf).catch(() => this.dispatch("notice", { notice: { key: "logout_unsure" } }));
  }

  reconnect() {
    if (this.store.get().phase === "console" && this.store.get().link.status !== "open") this.link.start();
  }

  /** A close code of the login's range, or a lost login: the form again. Else the link's state is shown as it is. */
  async linked(link) {
    if (link.status === "login") return this.dispatch("logged_out", { notice: { key: "login_ended" } });
    this.dispatch("link", { link });
    if (link.status !== "stopped") return;
    await api.me().catch((error) => error.status === 401 && this.dispatch("logged_out", { notice: { key: "login_ended" } }));
  }

  receive(message) {
    const extra = message.t === "hello" ? { kept: recall(this.me) } : {};
    this.store.dispatch({ ...message, ...extra, at: this.env.now() });
    if (message.t === "hello") this.resume();
  }

  /** After (re)connecting: what was not stored is sent again, with the same mid. */
  resume() {
    for (const { cid, note } of Object.values(this.store.get().talks)) {
      this.flush(cid);
      if (note.status === "changed") this.keepNote(cid);
    }
  }

  changed(state, before) {
    if (state.talks === before.talks || !state.me || state.me !== before.me) return;
    remember(state.me, state.talks, before.talks);
    for (const talk of mine(state)) if (talk !== before.talks[talk.cid]) this.complete(talk.cid);
  }

  // --- asking

  /** Ask; a refusal is shown in one sentence, and null comes back. */
  async ask(t, fields) {
    try {
      return await this.link.request(t, fields);
    } catch (error) {
      this.dispatch("notice", { notice: { key: "refused", error: error.error } });
      return null;
    }
  }

  presence(state, reason = "") {
    return this.ask("presence", { state, reason });
  }

  setPresence(agent, state) {
    return this.ask("set_presence", { agent, state, reason: "" });
  }

  /** Pull a conversation that waits: it is mine at once. */
  async take(cid) {
    const answer = await this.ask("take", { cid });
    if (answer) this.dispatch("accepted", { cid, conversation: answer.conversation });
  }

  /** Rejects with the named error if the service refuses. `to`: {agent} or {queue}. */
  async transfer(cid, to, note) {
    await this.link.request("transfer", { cid, to, note });
    this.dispatch("dialog", { dialog: null });
    this.dispatch("notice", { notice: { key: to.agent ? "transfer_rings" : "transfer_went" } });
  }

  /** Let a conversation ring for a colleague. Rejects with the named error. */
  async assign(cid, agent) {
    await this.link.request("assign", { cid, agent });
    this.dispatch("dialog", { dialog: null });
  }

  /** A colleague's conversation, with all lines; null if it is gone. */
  async look(cid) {
    return (await this.ask("look", { cid }))?.conversation ?? null;
  }

  /** The shopper reads that they should stay polite. */
  async warn(cid) {
    if (await this.ask("warn", { cid })) this.dispatch("dialog", { dialog: null });
  }

  /** End it; the shopper reaches nobody for a day. Rejects with the named error. */
  async block(cid, reason) {
    await this.link.request("block", { cid, reason });
    this.dispatch("dialog", { dialog: null });
    this.dispatch("notice", { notice: { key: "blocked_done" } });
  }

  /** Who is blocked, the latest first. */
  async blocks() {
    return (await this.ask("blocks", {}))?.blocks ?? [];
  }

  /** Lift the block that was made in a conversation. */
  unblock(cid) {
    return this.ask("unblock", { cid });
  }

  tag(cid, tags) {
    return this.ask("tag", { cid, tags });
  }

  /** What was said with this shopper before, the latest first. */
  async before(cid) {
    return (await this.ask("before", { cid }))?.talks ?? [];
  }

  /** Send an article or a code; rejects with the named error if the service refuses. The same `mid` is sent once. */
  async sendCard(cid, { kind, id }, mid) {
    await this.link.request("card", { cid, mid, [kind]: id });
    this.dispatch("dialog", { dialog: null });
  }

  /** Answer for a left message; `agent` "" is nobody. */
  takeLeft(id, agent = null) {
    return this.ask("left_take", { id, agent });
  }

  /** Rejects with the named error if the service refuses. */
  async finishLeft(id, outcome, note) {
    await this.link.request("left_done", { id, outcome, note });
    this.dispatch("show_left", { id: null });
    this.dispatch("notice", { notice: { key: "left_finished" } });
  }

  async leftLines(id) {
    return (await this.ask("left_lines", { id }))?.messages ?? [];
  }

  async accept(cid) {
    try {
      const { conversation } = await this.link.request("accept", { cid });
      this.dispatch("accepted", { cid, conversation });
    } catch ({ error }) {
      if (error === "too_late") this.dispatch("ring_over", { cid, reason: "late" });
      else this.dispatch("notice", { notice: { key: "refused", error } });
    }
  }

  async decline(cid) {
    if (await this.ask("decline", { cid })) this.dispatch("ring_over", { cid, reason: "declined" });
  }

  /** Rejects with the named error if the service refuses. */
  async close(cid, disposition, note, fields) {
    await this.link.request("close", { cid, disposition, note, fields });
    this.dispatch("dialog", { dialog: null });
  }

  // --- the thread

  type(cid, text) {
    this.dispatch("draft", { cid, text });
    this.sign(cid, text.trim() !== "");
  }

  /** The typing sign: sent again at most every 2 s, taken back when nothing was typed for 4 s. */
  sign(cid, on) {
    const now = this.env.now();
    this.timers[`typing ${cid}`]?.();
    if (on) this.timers[`typing ${cid}`] = this.env.after(() => this.sign(cid, false), TYPING_IDLE_MS);
    const last = this.typing[cid];
    if (on ? last && now - last < TYPING_EVERY_MS : !last) return;
    this.typing[cid] = on ? now : 0;
    this.link.request("typing", { cid, on }).catch(() => {});
  }

  say(cid) {
    const text = this.talk(cid).draft.trim();
    if (!text) return;
    this.dispatch("say", { cid, mid: newMid(), text, at_ms: this.env.now() + this.store.get().skew });
    this.sign(cid, false);
    this.flush(cid);
  }

  again(cid, mid) {
    this.dispatch("again", { cid, mid });
    this.flush(cid);
  }

  /** Send what is pending, one line after the other; what gets no answer waits for the next connection. */
  async flush(cid) {
    if (this.sending.has(cid)) return;
    this.sending.add(cid);
    for (let line; (line = toSend(this.talk(cid))); ) {
      const { mid, text } = line;
      try {
        const { offset } = await this.link.request("say", { cid, mid, text });
        this.dispatch("stored", { cid, mid, offset });
      } catch (error) {
        if (error.error === "lost") break;
        if (error.retry) await new Promise((resolve) => this.env.after(resolve, RETRY_MS));
        else this.dispatch("refused", { cid, mid, error: error.error });
      }
    }
    this.sending.delete(cid);
  }

  /** Fetch lines that are missing here, until the talk is whole or what is missing is known to be gone. */
  complete(cid) {
    if (this.fetching.has(cid) || !this.fetchable(cid)) return;
    this.fetching.add(cid);
    this.env.after(async () => {
      const after = this.fetchable(cid) ? missing(this.talk(cid)) : null;
      const upto = lastOffset(this.talk(cid));
      const answer = after === null ? null : await this.link.request("history", { cid, after }).catch(() => null);
      this.fetching.delete(cid);
      if (answer) this.dispatch("history", { cid, after, messages: answer.messages, upto });
    }, HISTORY_PAUSE_MS);
  }

  fetchable(cid) {
    const talk = this.talk(cid);
    return talk && HAS_THREAD.has(talk.data.state) && missing(talk) !== null;
  }

  // --- the note

  note(cid, text) {
    this.dispatch("note", { cid, text });
    this.timers[`note ${cid}`]?.();
    this.timers[`note ${cid}`] = this.env.after(() => this.keepNote(cid), NOTE_PAUSE_MS);
  }

  async keepNote(cid) {
    this.timers[`note ${cid}`]?.();
    const note = this.talk(cid)?.note;
    if (!note || note.status === "kept") return;
    try {
      await this.link.request("note", { cid, text: note.text });
      this.dispatch("note_kept", { cid, text: note.text });
    } catch (error) {
      if (error.error !== "lost") this.dispatch("note_refused", { cid });
    }
  }
}

/** 22 characters of chance: the line's own name, the same at each resend. */
export function newMid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
}
