// A code that was given stays within reach until it ends, on every page of the tab, after its card was put away.

import { drawCode } from './offer.js';
import { el } from '../widget/host.js';
import style from './style.css';
import own from './kept.css';

export function createKept(core, texts) {
  let kept = core.get('f');
  let host = null;
  let ends = 0;

  const lasts = () => kept && !(kept.expires_at_ms <= core.now());

  function draw() {
    host = document.createElement('router-code');
    const root = host.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [style, own].map((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
    const language = texts.language;
    const { nodes } = drawCode(kept, language, core.now, () => {}, texts);
    const card = el('section', { class: 'kept', role: 'region', 'aria-label': texts.yours, lang: language }, el('h2', { text: kept.title }), ...nodes, el('button', { class: 'never', text: texts.close, onclick: () => turn(false) }));
    const pill = el('button', { class: 'pill', lang: language, 'aria-expanded': 'false', text: texts.yours, onclick: () => turn(true) });
    const turn = (open) => {
      card.hidden = !open;
      pill.hidden = open;
      (open ? card.querySelector('button') : pill).focus();
    };
    card.addEventListener('keydown', (event) => event.key === 'Escape' && !event.isComposing && turn(false));
    card.hidden = true;
    root.append(card, pill);
    document.documentElement.append(host);
    ends = setTimeout(hide, Math.min(kept.expires_at_ms - core.now(), 864e5));
  }

  function hide() {
    clearTimeout(ends);
    host?.remove();
    host = null;
  }

  return {
    /** This code was given; its card shows it at the moment. */
    keep({ title, code, expires_at_ms, terms }) {
      hide();
      kept = { title, code, expires_at_ms, terms };
      core.set('f', kept);
    },
    /** No card shows it: it is a button, as long as it lasts. */
    reach() {
      if (lasts()) return host || draw();
      core.set('f', null);
      return undefined;
    },
  };
}
