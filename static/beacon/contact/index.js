// How a shopper reaches a person: by asking for one, and by leaving a message where nobody can answer now. A chunk of its
// own, fetched when somebody asks or begins to wait; it draws into the chat's panel.

import { drawForm } from './form.js';
import { further } from '../further.js';
import { textsFor } from './texts.js';
import { el } from '../widget/host.js';
import style from './style.css';

const ASK = 7;
const OFFERED = ['waiting', 'form']; // the states of a conversation in which a message can be left

let contact;

/** The one contact of this page: `ask(queue)`, and `follow(cid, state)` for each news of a conversation. */
export function mount(core) {
  contact = contact || createContact(core);
  return contact;
}

async function createContact(core) {
  const texts = await further(core, 'contact', textsFor(core.language()));
  const secrets = {}; // of conversations that waited, since the tab forgets them when they end
  let wanted = null; // [queue] that could not be asked for yet
  let asked = null; // the queue that was asked for last
  let opens = false; // the next conversation is what was asked for
  let drawn = null; // {cid, bar, form, panel}

  const root = () => document.querySelector('router-ui')?.shadowRoot;
  const send = () => { if (wanted && core.send([ASK, ...wanted])) wanted = null; };

  core.on('ready', send);
  core.on('conversation', () => {
    if (opens) root().querySelector('.launcher:not([hidden])')?.click();
    opens = false;
  });

  function draw(cid) {
    const sheets = root();
    if (!sheets.querySelector('.contact')) sheets.adoptedStyleSheets = [...sheets.adoptedStyleSheets, sheet()];
    const panel = sheets.querySelector('.panel');
    const bar = el('p', { class: 'contact offer' }, el('button', { text: texts.leave, onclick: () => show(true) }));
    const form = drawForm(core, texts, () => ({ queue: asked || '', talk: secrets[cid] ? { cid, secret: secrets[cid] } : null }), () => show(false));
    panel.querySelector('.question').before(bar, form.element);
    drawn = { cid, bar, form, panel };
    show(false);
  }

  /** The form in the place of the lines, or the offer of it above them. */
  function show(isForm) {
    drawn.form.element.hidden = !isForm;
    drawn.bar.hidden = isForm;
    drawn.panel.classList.toggle('writes', isForm);
    if (isForm) drawn.form.focus();
  }

  function remove() {
    drawn.bar.remove();
    drawn.form.element.remove();
    drawn.panel.classList.remove('writes');
    drawn = null;
  }

  return {
    /** Ask for a person of this queue, or of the shop's first. An open invite is accepted instead, a chat that is there is shown. */
    ask(queue) {
      const first = (...selectors) => selectors.map((each) => root()?.querySelector(`${each}:not([hidden])`)).find(Boolean);
      first('.leave')?.click(); // a chat that is over makes room
      const there = first('.invite .primary', '.launcher');
      if (there) return there.click();
      if (first('.panel')) return first('.panel').querySelector('textarea').focus();
      asked = queue;
      wanted = [queue];
      opens = true;
      core.connect();
      return send();
    },
    follow(cid, state) {
      const kept = core.get('c') || {};
      if (kept.cid === cid && kept.secret) secrets[cid] = kept.secret;
      if (drawn && (drawn.cid !== cid || !drawn.panel.isConnected)) remove();
      // What was sent, or is being sent, stays to be read.
      if (drawn && !OFFERED.includes(state) && !drawn.form.busy()) remove();
      if (!OFFERED.includes(state)) return undefined;
      if (!drawn) draw(cid);
      if (state !== 'form') return undefined;
      drawn.form.alone();
      show(true);
      return undefined;
    },
  };
}

function sheet() {
  const made = new CSSStyleSheet();
  made.replaceSync(style);
  return made;
}
