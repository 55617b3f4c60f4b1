// A draft on the shop's own page, as a shopper would see it. Nothing is decided, sent or counted: the beacon does nothing
// else on a page whose address carries a preview's token.

import { drawCode } from '../cards/offer.js';
import { drawCard, KINDS } from '../widget/cards.js';
import { createHost, el } from '../widget/host.js';
import style from '../cards/style.css';
import { textsFor } from '../widget/texts.js';

const TEXTS = {
  ja: {
    mark: 'プレビュー：お客様には表示されません',
    again: 'もう一度表示',
    over: { title: 'プレビューの期限が切れています', text: 'ルールの画面で、もう一度リンクを作成してください。', dismiss: '閉じる' },
  },
  en: {
    mark: 'Preview: no shopper sees this',
    again: 'Show again',
    over: { title: 'This preview has ended', text: 'Please make a new link on the page of the rules.', dismiss: 'Close' },
  },
};

const MARK = 'width: fit-content; max-width: calc(100% - 36px); margin: 0 0 10px; padding: 4px 10px; border-radius: 8px; background: #fdf3d8; color: #5c4400; font-size: 13px; font-weight: 600;';
const AGAIN = 'min-height: 44px; padding: 0 18px; border-radius: 22px; background: #fdf3d8; color: #5c4400; font-weight: 600; box-shadow: 0 4px 16px rgb(20 30 40 / 20%);';

/** Ask what the token in the address shows, and show it. */
export async function mount(core) {
  const token = location.hash.slice(location.hash.indexOf('=') + 1);
  const response = await fetch(`${core.address.origin}/v1/preview?token=${encodeURIComponent(token)}`, { credentials: 'omit' });
  const found = response.ok ? await response.json() : { language: core.language() || '' };
  const language = found.language.startsWith('ja') ? 'ja' : 'en';
  const own = TEXTS[language];
  const skew = response.ok ? found.now_ms - Date.now() : 0;
  const host = createHost(language);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  const root = host.stack.getRootNode();
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  const styled = (element, style) => Object.assign(element, { style });
  let drawn = null;

  function show() {
    again.remove();
    const [kind, content, texts] = [found.kind || 'notice', found.content || own.over, textsFor(language)];
    const act = { accept: hide, dismiss: hide, copied() {} };
    drawn = drawCard(kind, content, texts, act, kind === 'offer' ? code(content, texts) : KINDS[kind](content, texts, act));
    drawn.element.prepend(styled(el('p', { text: own.mark }), MARK));
    host.stack.append(drawn.element);
  }

  function code(content, texts) {
    const { nodes, stop } = drawCode(content, language, () => Date.now() + skew, () => {});
    return { nodes: [...nodes, el('button', { class: 'never', text: content.dismiss || texts.close, onclick: hide })], stop };
  }

  function hide() {
    drawn.stop();
    drawn.element.remove();
    host.stack.append(again);
  }

  const again = styled(el('button', { text: own.again, onclick: show }), AGAIN);
  show();
}
