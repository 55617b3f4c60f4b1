// What only some shoppers get to see, a chunk of its own: discount codes, and the cards that agents send in a talk.

import { createKept } from './kept.js';
import { codeTexts, drawCode } from './offer.js';
import { further } from '../further.js';
import { address, el } from '../widget/host.js';
import style from './style.css';

let sheet;
let kept;

export async function mount(core) {
  const code = await further(core, 'code', codeTexts(/^ja\b/i.test(core.language() || '') ? 'ja' : 'en'));
  kept = kept || createKept(core, code);

  /** The styles join the widget's own when the first card is drawn. */
  function dress() {
    const root = document.querySelector('router-ui').shadowRoot;
    sheet = sheet || new CSSStyleSheet();
    sheet.replaceSync(style);
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }

  return {
    /** The pieces of an offer's card, as `widget/cards.js` wants them. */
    offer(content, texts, act) {
      dress();
      kept.keep(content);
      const { nodes, stop } = drawCode(content, texts.language, core.now, act.copied, code);
      const close = el('button', { class: 'never', text: content.dismiss || texts.close, onclick: () => act.dismiss(false) });
      const put = () => {
        stop?.();
        kept.reach();
      };
      return { nodes: [...nodes, close], stop: put };
    },
    /** A code of an earlier page is still to be had. */
    restore: kept.reach,
    /** A line of a talk that is a card: in the place of its words. */
    line(item, card, texts) {
      dress();
      const drawn = card.code ? drawCode(card, texts.language, core.now, () => {}, code) : { nodes: [] };
      const href = address(card.url);
      item.querySelector('.bubble-text').replaceWith(el(
        'div',
        { class: 'sent' },
        el('h3', { text: card.title }),
        card.text ? el('p', { text: card.text }) : null,
        ...drawn.nodes,
        href ? el('a', { class: 'primary', href, target: '_blank', rel: 'noopener', text: texts.open }) : null,
      ));
    },
  };
}
