// The widget: draws what the service decided, in a place of its own, and never in the shopper's way.

import { createChat, END } from './chat.js';
import { createHost } from './host.js';
import { drawCard, KINDS } from './cards.js';
import { isOver } from './thread.js';
import { further } from '../further.js';
import { textsFor } from './texts.js';

const QUIET_MS = 3000; // nothing appears while the shopper types, and for so long after
const LOOK_MS = 250;
const MIN_WIDTH = 280;
const MIN_HEIGHT = 240;

/** Draw nothing yet; `core` is what the beacon lets us use. The methods are named after the service's messages. */
export async function mount(core) {
  const texts = await further(core, 'widget', textsFor(core.language()));
  const host = createHost(texts.language);
  let card = null; // {decision, element, stop}
  let chat = null;
  let contact = null; // a promise of the message form, once it may be needed
  let waiting = null; // {decision, timer}: to be drawn when the shopper has finished typing
  let typedAt = -QUIET_MS;

  for (const name of ['keydown', 'input', 'compositionupdate']) {
    core.listen(document, name, (event) => {
      if (isField(event.target)) typedAt = performance.now();
    });
  }

  /** Why nothing can be drawn at the moment, or null. */
  function obstacle() {
    if (document.visibilityState !== 'visible') return 'hidden';
    if (innerWidth < MIN_WIDTH || innerHeight < MIN_HEIGHT || (chat && chat.open)) return 'no_room';
    const modal = [...document.querySelectorAll('dialog[open], [aria-modal="true"]')].some(blocks);
    return modal ? 'modal' : null;
  }

  /** Draw it as soon as nothing is in the way, or say why that could not be before `deadline`. */
  function present(decision, kind, content, deadline, again) {
    const late = core.now() >= deadline;
    const reason = obstacle() || (late ? 'expired' : null);
    if (reason && (late || reason === 'no_room')) return core.event('deferred', { decision, reason });
    const quiet = typedAt + QUIET_MS - performance.now();
    if (!reason && quiet <= 0) return draw(decision, kind, content, again);
    const timer = setTimeout(present, Math.max(quiet, LOOK_MS), decision, kind, content, deadline, again);
    waiting = { decision, timer };
    return undefined;
  }

  async function draw(decision, kind, content, again) {
    clear();
    const mine = waiting = { decision };
    const act = answers(decision);
    let parts;
    let place;
    try {
      place = await core.chunk('place')();
      parts = await (KINDS[kind] || (await core.chunk('cards')()).offer)(content, texts, act, decision);
    } catch {
      return core.event('deferred', { decision, reason: 'no_ui' });
    }
    if (waiting !== mine) return undefined;
    waiting = null;
    card = { decision, ...drawCard(kind, content, texts, act, parts) };
    if (again) card.element.classList.add('still');
    host.stack.prepend(card.element);
    if (!place.settle(host.stack, card.element)) {
      clear();
      return core.event('deferred', { decision, reason: 'no_room' });
    }
    if (!again) host.say([content.title, content.text].filter(Boolean).join(' '));
    const { element } = card;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (element.isConnected && element.getBoundingClientRect().height) core.event('shown', { decision });
    }));
    return undefined;
  }

  const answers = (decision) => ({
    accept() {
      clear();
      core.event('accepted', { decision });
      talk(decision, { open: true }).focus();
    },
    dismiss(never) {
      clear();
      core.event('dismissed', { decision, never });
    },
    copied: () => core.event('copied', { decision }),
  });

  function clear(decision = card && card.decision) {
    if (waiting && waiting.decision === decision) {
      clearTimeout(waiting.timer);
      waiting = null;
    }
    if (!card || card.decision !== decision) return;
    card.stop();
    card.element.remove();
    card = null;
  }

  /** The chat about `cid`, drawn if it is not there yet. */
  function talk(cid, kept) {
    if (chat && chat.cid === cid) return chat;
    if (chat) chat.leave();
    chat = createChat(core, host, texts, cid, kept, () => { chat = null; });
    return chat;
  }

  const about = (cid, name) => (...args) => chat && chat.cid === cid && chat[name](...args);

  return {
    show(decision, kind, content, validMs, again) {
      if (card && card.decision === decision) return;
      if (waiting) clearTimeout(waiting.timer);
      present(decision, kind, content, core.now() + validMs, again);
    },
    retract: clear,
    /** Draw again what an earlier page of this tab had, before the service is heard. */
    restore() {
      const kept = core.get('c');
      if (kept && !kept.over) talk(kept.cid, kept);
    },
    welcome({ talk: known }) {
      const kept = core.get('c') || {};
      const [cid, secret] = known || [kept.cid, kept.secret];
      if (!cid) return;
      if (kept.cid === cid && kept.over) return known && core.send([END, cid]); // it had not heard of the end
      talk(cid, kept.cid === cid ? kept : {}).welcome(secret);
    },
    down: () => chat && chat.down(),
    conversation(cid, ...rest) {
      clear(cid);
      const [state] = rest;
      if (isOver(state) && !/form|refused/.test(state) && !(chat && chat.cid === cid)) return;
      talk(cid).conversation(...rest);
      core.emit('conversation', { cid, state });
      if (/waiting|form/.test(state)) contact = contact || core.chunk('contact')();
      if (contact) contact.then(({ follow }) => follow(cid, state)).catch(() => { contact = null; }); // the next news tries again
    },
    message: (cid, ...rest) => about(cid, 'message')(...rest),
    typing: (cid, on) => about(cid, 'typing')(on),
    stored: (cid, ...rest) => about(cid, 'stored')(...rest),
    missing: (cid, ...rest) => about(cid, 'missing')(...rest),
    refused: (name, detail, subject) => chat && chat.refused(name, subject),
    leave: host.remove,
  };
}

function isField(target) {
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
}

/** Does this dialog really lie over the page? */
function blocks(dialog) {
  const modal = dialog.tagName !== 'DIALOG' || dialog.matches(':modal');
  return modal && dialog.getClientRects().length > 0;
}
