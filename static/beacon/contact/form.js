// The message form: what was typed survives a page, and a message that was sent twice is stored once.

import { el } from '../widget/host.js';
import { messageId } from '../ids.js';

const MAX_CHARS = 2000;
const CONTACT = /^([^@\s]+@[^@\s]+\.[^@\s]+|[+0＋０][\d０-９\s().\-－ー]{6,22})$/;
const NAMES = ['text', 'contact', 'name'];

/**
 * Draw the form, hidden. `about()` gives the queue that was asked for and the conversation whose place the message takes,
 * `{queue, talk: {cid, secret} or null}`; `back()` is called by who would rather wait.
 */
export function drawForm(core, texts, about, back) {
  const kept = core.get('m') || {};
  const fields = {
    text: el('textarea', { rows: '3', maxlength: String(MAX_CHARS) }),
    contact: el('input', { maxlength: '200', autocomplete: 'email', autocapitalize: 'none', spellcheck: 'false' }),
    name: el('input', { maxlength: '80', autocomplete: 'name' }),
  };
  const failed = el('p', { class: 'failed-text', role: 'alert' });
  const send = el('button', { class: 'primary', type: 'submit', text: texts.send });
  const wait = el('button', { class: 'plain', type: 'button', text: texts.wait, onclick: back });
  const intro = el('p', { text: texts.intro });
  const form = el('form', { novalidate: '' }, intro, ...NAMES.map(label), failed, el('div', { class: 'actions' }, send, wait));
  const done = el('div', { class: 'done', role: 'status', tabindex: '-1' });
  const element = el('div', { class: 'contact form' }, form, done);
  let id = messageId();
  let busy = false;

  function label(name) {
    fields[name].value = kept[name] || '';
    return el('label', {}, el('span', { text: texts[name] }), fields[name]);
  }

  const said = () => Object.fromEntries(NAMES.map((name) => [name, fields[name].value.trim()]));

  /** What is missing: [name of the field, what to do], or nothing. */
  function fault({ text, contact }) {
    if (!text) return ['text', texts.needText];
    return CONTACT.test(contact) ? null : ['contact', texts.needContact];
  }

  function refuse(name, text) {
    for (const [each, field] of Object.entries(fields)) field.setAttribute('aria-invalid', String(each === name));
    failed.textContent = text;
    if (name) fields[name].focus();
  }

  async function submit() {
    const message = said();
    const missing = fault(message);
    refuse(...(missing || ['', '']));
    if (missing || busy) return;
    busy = send.disabled = true;
    try {
      thank(message, await post(message));
    } catch (error) {
      busy = false;
      refuse(error.message === 'bad_request' ? 'contact' : '', texts.errors[error.message] || texts.errors.other);
    }
    send.disabled = false;
  }

  async function post(message) {
    const place = core.address;
    const body = JSON.stringify({ site: place.searchParams.get('site'), session: core.session(), id, ...about(), ...message });
    const response = await fetch(`${place.origin}/v1/messages`, { method: 'POST', body: new TextEncoder().encode(body), credentials: 'omit' });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer.due_ms;
  }

  function thank({ contact }, due) {
    const when = new Date(due).toLocaleString(texts.language, { weekday: 'short', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
    core.set('m', null);
    form.hidden = true;
    done.append(el('h3', { text: texts.thanks }), el('p', { text: texts.due(when, contact) }));
    done.focus();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    core.guarded(submit)();
  });
  form.addEventListener('input', () => {
    id = messageId();
    core.set('m', said());
  });

  return {
    element,
    /** Is a message on its way, or was one sent? */
    busy: () => busy,
    focus: () => fields.text.focus(),
    /** Nobody comes any more: there is nothing to wait for. */
    alone() {
      wait.hidden = true;
      intro.textContent = texts.nobody;
    },
  };
}
