// The chat's course: what the service says about it, what the shopper does, and what this tab remembers of both.

import { messageId } from '../ids.js';
import { createThread, isOver } from './thread.js';
import { drawPanel } from './panel.js';

const SAY = 3;
const TYPING = 4;
const RESUME = 5;
export const END = 6;
const TYPING_EVERY_MS = 3000;
const TYPING_ENDS_MS = 4000;
const AGENT_TYPING_MS = 8000;
const PEEK_MS = 700;
const PATIENCE_MS = 20000;

/** A chat about conversation `cid`, drawn into `host`; `kept` is what an earlier page of this tab remembered. */
export function createChat(core, host, texts, cid, kept = {}, gone = () => {}) {
  const thread = createThread(kept.pending);
  const talk = { secret: kept.secret || null, open: !!kept.open, draft: kept.draft || '', agent: kept.agent || null };
  let state = '';
  let place = {};
  let newest = 0;
  let linked = true;
  let known = false; // the service has this conversation: only then may lines be sent
  let over = false;
  let late = false;
  let unread = 0;
  let resuming = false;
  let typedAt = 0;
  let typingEnds = 0;
  let agentTypes = 0;
  let peeks = false; // agents see what is typed, and the shopper is told
  let peeking = 0;
  let drawn = 0;
  let held = false;

  const panel = drawPanel(texts, { send, type, toggle, end, leave, card: (item, content) => core.chunk('cards')().then(({ line }) => line(item, content, texts)).catch(() => {}) });
  host.stack.append(panel.element, panel.launcher);
  panel.draft(talk.draft);
  panel.unread(0);
  panel.speak(false);
  panel.open(talk.open);
  if (talk.open) phone();
  redraw();
  setTimeout(() => {
    late = true;
    redraw();
  }, PATIENCE_MS);

  function save() {
    core.set('c', over ? { cid, over } : { cid, ...talk, pending: thread.pending });
  }

  function redraw() {
    panel.heading(talk.agent, statusText());
    panel.pending(thread.pending);
    save();
  }

  function statusText() {
    if (over) return /form|refused/.test(state) ? texts.unreachable : texts.ended;
    if (!linked) return texts.reconnecting;
    if (!known) return late ? texts.unreachable : texts.connecting;
    if (/active|parked|opened/.test(state)) return texts[state];
    const { position, wait } = place;
    const words = [
      position ? texts.place(position - 1) : texts.waiting,
      wait ? texts.wait(Math.max(1, Math.round(wait / 60))) : '',
    ];
    return words.filter(Boolean).join(' · ');
  }

  /** What only some chats need is a chunk of its own; without it the chat goes on. */
  function more(chunk, name, ...words) {
    core.chunk(chunk)().then((found) => found[name](panel.element, ...words)).catch(() => {});
  }

  function draw() {
    for (; drawn < thread.lines.length; drawn++) notice(thread.lines[drawn]);
  }

  function notice(line) {
    const fresh = known && line.offset > newest;
    panel.speak(fresh);
    panel.add(line);
    if (line.author !== 'agent' || !fresh) return;
    panel.typing(null);
    if (talk.open) return;
    panel.unread(++unread);
    host.say(texts.newMessage);
  }

  // --- what the shopper does ---

  function send(text) {
    thread.send(messageId(), text, core.now());
    talk.draft = '';
    stopTyping();
    flush();
    redraw();
  }

  function flush() {
    if (known) thread.unsent().forEach((own) => core.send([SAY, cid, own.mid, own.text]));
  }

  function type(text) {
    talk.draft = text;
    save();
    clearTimeout(typingEnds);
    typingEnds = setTimeout(stopTyping, TYPING_ENDS_MS);
    if (known && peeks) peeking = peeking || setTimeout(peek, PEEK_MS);
    if (!known || Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    core.send([TYPING, cid, true]);
  }

  function peek() {
    peeking = 0;
    core.send([TYPING, cid, true, talk.draft]);
  }

  function stopTyping() {
    clearTimeout(typingEnds);
    if (!typedAt) return;
    typedAt = 0;
    core.send([TYPING, cid, false]);
  }

  function toggle(open) {
    talk.open = open;
    if (open) panel.unread(unread = 0);
    panel.open(open);
    if (open) phone();
    if (open) panel.focus();
    else panel.focusLauncher();
    save();
  }

  function phone() {
    if (innerWidth <= 480 && !held) more('phone', 'follow', () => toggle(false));
    held = innerWidth <= 480;
  }

  function end() {
    core.send([END, cid]);
    finish('closed');
  }

  function leave() {
    panel.element.remove();
    panel.launcher.remove();
    save();
    gone();
  }

  function finish(how) {
    if (over) return;
    state = how;
    over = true;
    panel.typing(null);
    panel.over();
    redraw();
    if (thread.lines.some(({ author }) => author === 'agent')) more('after', 'over', thread.lines, texts, cid);
  }

  // --- what the service says ---

  function resume() {
    if (!talk.secret || resuming || over) return;
    resuming = core.send([RESUME, cid, talk.secret, thread.offset]);
  }

  return {
    cid,
    get over() { return over; },
    get open() { return talk.open && panel.element.isConnected; },
    leave,
    focus: panel.focus,
    /** The link is back; the secret may have come with it. */
    welcome(secret) {
      linked = true;
      resuming = false;
      talk.secret = talk.secret || secret || null;
      resume();
      redraw();
    },
    down() {
      linked = false;
      resuming = false;
      redraw();
    },
    conversation(next, agent, position, wait, offset, secret, peek) {
      peeks = peek;
      panel.peeks(peek);
      const first = !known;
      known = true;
      state = next;
      place = { position, wait };
      talk.agent = agent || (state === 'active' ? talk.agent : null);
      talk.secret = secret || talk.secret;
      if (first) newest = offset;
      if (isOver(state)) finish(state);
      else redraw();
      if (resuming || first) flush();
      resuming = false;
    },
    message(offset, author, mid, text, at, name, card) {
      if (thread.take({ offset, author, mid, text, at, name, card }) === 'gap') return resume();
      draw();
      return redraw();
    },
    stored(mid, offset) {
      thread.stored(mid, offset);
      draw();
      redraw();
    },
    missing(start, end) {
      thread.missing(start, end);
      draw();
      redraw();
    },
    typing(on) {
      clearTimeout(agentTypes);
      panel.typing(on ? talk.agent || texts.agent : null);
      if (on) agentTypes = setTimeout(() => panel.typing(null), AGENT_TYPING_MS);
    },
    /** A named refusal about this conversation or one of its messages. */
    refused(name, about) {
      if (thread.refused(about)) redraw();
      else if (about === cid && (name === 'no_conversation' || (!known && name === 'too_late'))) finish('refused');
    },
  };
}
