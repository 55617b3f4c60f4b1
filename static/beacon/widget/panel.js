// The chat as it looks: a launcher, and a panel with header, lines, and the box to write in.

import { el } from './host.js';

const MAX_CHARS = 2000;

/**
 * Draw the chat. `act` = {send(text), type(text), toggle(open), end(), leave(), card(item, content)}.
 * The result's methods change what is seen; they hold no state of the conversation.
 */
export function drawPanel(texts, act) {
  const name = el('h2', { text: texts.support });
  const status = el('p', { class: 'status', role: 'status' });
  const lines = el('ol', { class: 'lines', role: 'log', 'aria-label': texts.chat, tabindex: '0' });
  const pending = el('ol', { class: 'lines pending' });
  const typing = el('p', { class: 'typing', 'aria-live': 'off' }, el('i'), el('i'), el('i'), el('span'));
  const scroll = el('div', { class: 'scroll' }, lines, pending, typing);
  const input = el('textarea', {
    rows: '1', maxlength: String(MAX_CHARS), placeholder: texts.placeholder, 'aria-label': texts.placeholder, enterkeyhint: 'send',
  });
  const send = el('button', { class: 'send', type: 'submit', 'aria-label': texts.send, text: '↑' });
  const form = el('form', { class: 'write' }, input, send);
  const disclosed = el('p', { class: 'peek', text: texts.peek });
  const endButton = el('button', { class: 'end', text: texts.end, onclick: () => ask(true) });
  const question = el(
    'div',
    { class: 'question', role: 'group', 'aria-label': texts.endQuestion },
    el('p', { text: texts.endQuestion }),
    el('button', { class: 'primary', text: texts.endYes, onclick: () => { ask(false); act.end(); } }),
    el('button', { class: 'plain', text: texts.endNo, onclick: () => { ask(false); input.focus(); } }),
  );
  const leave = el('button', { class: 'primary leave', text: texts.close, onclick: act.leave });
  const header = el(
    'header',
    {},
    el('span', { class: 'face', 'aria-hidden': 'true' }),
    el('div', { class: 'title' }, name, status),
    endButton,
    el('button', { class: 'minimise', 'aria-label': texts.minimise, text: '–', onclick: () => act.toggle(false) }),
  );
  const element = el('section', { class: 'panel', role: 'region', 'aria-label': texts.chat }, header, question, scroll, disclosed, form, leave);
  const badge = el('span', { class: 'badge' });
  const launcher = el('button', { class: 'launcher', onclick: () => act.toggle(true) }, el('span', { class: 'bubble', 'aria-hidden': 'true' }), el('span', { text: texts.chat }), badge);

  function ask(asking) {
    question.hidden = !asking;
    if (asking) question.querySelector('.plain').focus();
  }

  function submit() {
    const text = input.value.trim();
    if (!text) return;
    input.value = '';
    grow();
    act.send(text);
  }

  function grow() {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 120)}px`;
    send.disabled = !input.value.trim();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  input.addEventListener('input', () => {
    grow();
    act.type(input.value);
  });
  input.addEventListener('keydown', (event) => {
    // Enter that picks a word in an input method is not the message's end; Safari tells it only by 229.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.isComposing && event.keyCode !== 229) act.toggle(false);
  });
  question.hidden = true;
  disclosed.hidden = true;
  leave.hidden = true;

  return {
    element,
    launcher,
    open(isOpen) {
      element.hidden = !isOpen;
      launcher.hidden = isOpen;
      if (isOpen) this.toEnd();
    },
    focus: () => (leave.hidden ? input : leave).focus(),
    focusLauncher: () => launcher.focus(),
    draft(text) {
      input.value = text;
      grow();
    },
    heading(agent, text) {
      name.textContent = agent || texts.support;
      header.firstChild.textContent = agent ? agent.slice(0, 1) : '';
      if (status.textContent !== text) status.textContent = text;
    },
    /** Say that what is typed is seen before it is sent. */
    peeks(on) { disclosed.hidden = !on || form.hidden; },
    /** No more can be written. */
    over() {
      disclosed.hidden = true;
      ask(false);
      form.hidden = true;
      endButton.hidden = true;
      leave.hidden = false;
    },
    unread(count) {
      badge.textContent = count ? String(count) : '';
      launcher.setAttribute('aria-label', count ? `${texts.chat}, ${texts.unread(count)}` : texts.chat);
    },
    typing(agent) {
      const near = atEnd();
      typing.lastChild.textContent = agent ? texts.typing(agent) : '';
      typing.classList.toggle('on', !!agent);
      if (near) this.toEnd();
    },
    /** Speak new lines (true), or be silent while old ones come back. */
    speak: (on) => lines.setAttribute('aria-live', on ? 'polite' : 'off'),
    add(line) {
      const near = atEnd() || line.author === 'shopper';
      lines.append(...drawLine(line, texts, act));
      if (near) this.toEnd();
    },
    pending(own) {
      pending.replaceChildren(...own.flatMap((each) => drawLine({ ...each, author: 'shopper', note: each.failed ? texts.failed : texts.sending }, texts, act)));
      this.toEnd();
    },
    toEnd: () => { scroll.scrollTop = scroll.scrollHeight; },
  };

  function atEnd() {
    return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  }
}

/** An agent's words, in which addresses are links. They are ASCII, so that Japanese may follow at once; what ends a sentence is none. */
export function linked(text) {
  return text.split(/(https?:\/\/[!-~]*[\w/=&#%-])/)
    .map((part, n) => n % 2 ? el('a', { href: part, target: '_blank', rel: 'noopener', text: part }) : part);
}

/** A line as list items: none for a system text that this widget does not know. */
function drawLine(line, texts, act) {
  if (line.missing) return [el('li', { class: 'system', text: texts.missing(line.missing) })];
  if (line.author === 'system') {
    const say = texts.system[line.text];
    return say ? [el('li', { class: 'system', text: say(line.name || texts.agent) })] : [];
  }
  const time = line.at ? new Date(line.at).toLocaleTimeString(texts.language, { hour: 'numeric', minute: '2-digit' }) : '';
  const note = line.note || time;
  const item = el(
    'li',
    { class: `${line.author === 'shopper' ? 'own' : 'other'}${line.failed ? ' failed' : ''}` },
    el('p', { class: 'bubble-text', dir: 'auto' }, ...(line.author === 'agent' ? linked(line.text) : [line.text])),
    note ? el('span', { class: 'note', text: note }) : null,
  );
  if (line.card) act.card(item, line.card);
  return [item];
}
