// The cards: an invite, an offer, an article, a notice (an article without a link). Each is a region of the page: it takes no focus and traps none.

import { address, el } from './host.js';

/**
 * Draw a decision's card of these `parts` = {nodes, stop()}. `act` = {accept(), dismiss(never), copied()}. Returns
 * {element, stop()}, where `stop` ends what ticks in it.
 */
export function drawCard(kind, content, texts, act, parts) {
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

function invite(content, texts, act) {
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

function article(content, texts, act) {
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

/** The parts of a card by its kind; those of an offer are a chunk of their own. */
export const KINDS = { invite, article, notice: article };
