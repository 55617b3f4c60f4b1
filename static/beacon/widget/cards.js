// The cards: an invite, an offer, an article, a notice (an article without a link). Each is a region of the page: it takes no focus and traps none.

import { countdown } from './countdown.js';
import { el } from './host.js';

/**
 * Draw a decision's card. `act` = {accept(), dismiss(never), copied()}. Returns {element, stop()}, where `stop`
 * ends what ticks in it.
 */
export function drawCard(kind, content, texts, clock, act) {
  const parts = KINDS[kind](content, texts, clock, act);
  const element = el(
    'section',
    { class: `card ${kind}`, role: 'region', 'aria-label': content.title, tabindex: '-1' },
    el('button', { class: 'close', 'aria-label': texts.close, text: '×', onclick: () => act.dismiss(false) }),
    el('h2', { text: content.title }),
    content.text ? el('p', { text: content.text }) : null,
    ...parts.nodes,
  );
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.isComposing) act.dismiss(false);
  });
  return { element, stop: parts.stop || (() => {}) };
}

function invite(content, texts, clock, act) {
  return {
    nodes: [
      content.agent ? el('p', { class: 'who' }, el('span', { class: 'face', 'aria-hidden': 'true', text: content.agent.slice(0, 1) }), el('span', { text: content.agent })) : null,
      el(
        'div',
        { class: 'actions' },
        el('button', { class: 'primary', text: content.accept, onclick: act.accept }),
        el('button', { class: 'plain', text: content.dismiss, onclick: () => act.dismiss(false) }),
      ),
      el('button', { class: 'never', text: texts.never, onclick: () => act.dismiss(true) }),
    ],
  };
}

function article(content, texts, clock, act) {
  return {
    nodes: [
      el(
        'div',
        { class: 'actions' },
        address(content.url) ? el('a', { class: 'primary', href: address(content.url), text: texts.open }) : null,
        el('button', { class: 'plain', text: content.dismiss || texts.close, onclick: () => act.dismiss(false) }),
      ),
    ],
  };
}

const KINDS = { invite, offer, article, notice: article };

/** A link only to the web: an address of another scheme is not drawn. */
function address(url) {
  try {
    const { href, protocol } = new URL(url, document.baseURI);
    return protocol === 'https:' || protocol === 'http:' ? href : null;
  } catch {
    return null;
  }
}

function offer(content, texts, clock, act) {
  const code = el('output', { class: 'code', text: content.code });
  const copy = el('button', { class: 'primary', text: texts.copy, onclick: () => copyCode(code, copy, texts, act) });
  const until = el('span', { class: 'until' });
  const left = el('span', { class: 'left', 'aria-hidden': 'true' }); // the clock time says it without ticking
  const nodes = [
    el('div', { class: 'ticket' }, code, copy),
    el('p', { class: 'expiry' }, until, left),
    content.terms ? el('p', { class: 'terms', text: content.terms }) : null,
    el('button', { class: 'never', text: content.dismiss || texts.close, onclick: () => act.dismiss(false) }),
  ];
  const ends = content.expires_at_ms;
  if (!ends) return { nodes };
  const at = new Date(Date.now() + ends - clock());
  until.textContent = texts.until(at.toLocaleTimeString(texts.language, { hour: 'numeric', minute: '2-digit' }));
  const tick = () => {
    const seconds = Math.ceil((ends - clock()) / 1000);
    left.textContent = seconds > 0 ? texts.left(countdown(seconds)) : '';
    if (seconds > 0) return;
    clearInterval(timer);
    until.textContent = texts.expired;
    code.classList.add('over');
    copy.disabled = true;
  };
  const timer = setInterval(tick, 1000);
  tick();
  return { nodes, stop: () => clearInterval(timer) };
}

async function copyCode(code, button, texts, act) {
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code); // no clipboard on plain http: mark it, and try the old way
    if (!document.execCommand('copy')) return;
  }
  button.textContent = texts.copied;
  act.copied();
}
