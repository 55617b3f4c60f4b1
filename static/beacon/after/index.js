// After a talk: the shopper may keep what was said, and the shop may ask how it was. Fetched when a talk with an agent ends.

import { el } from '../widget/host.js';
import { further } from '../further.js';
import { transcript } from './transcript.js';

const TEXTS = { ja: { keep: '会話を保存', you: 'お客様' }, en: { keep: 'Save this conversation', you: 'You' } };

export function mount(core) {
  return {
    /** `panel` is the chat's, `lines` what was said in conversation `cid`. */
    async over(panel, lines, texts, cid) {
      core.emit('ended', { cid });
      const own = await further(core, 'after', TEXTS[texts.language] || TEXTS.en);
      const keep = el('button', { class: 'plain leave keep', text: own.keep, onclick: () => save(transcript(lines, { ...texts, ...own }), cid) });
      keep.style.marginBottom = 0; // the one to leave stands right below
      panel.querySelector('.leave').before(keep);
    },
  };
}

function save(text, cid) {
  const href = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/plain' }));
  el('a', { href, download: `chat-${cid.slice(0, 8)}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}
