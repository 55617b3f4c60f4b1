// A discount code: to be copied, with the time it has left.

import { applied } from './apply.js';
import { countdown } from './countdown.js';
import { el } from '../widget/host.js';

const TEXTS = {
  ja: {
    language: 'ja',
    yours: 'お持ちのコード',
    close: '閉じる',
    apply: 'カートで使う',
    copy: 'コードをコピー',
    copied: 'コピーしました',
    until: (time) => `${time}まで有効`,
    left: (time) => `残り ${time}`,
    expired: '有効期限が切れました',
  },
  en: {
    language: 'en',
    yours: 'Your code',
    close: 'Close',
    apply: 'Use it now',
    copy: 'Copy code',
    copied: 'Copied',
    until: (time) => `Valid until ${time}`,
    left: (time) => `${time} left`,
    expired: 'This code has expired',
  },
};

/** Japanese for Japanese, English for all others. */
export const codeTexts = (language) => TEXTS[language] || TEXTS.en;

/**
 * The pieces of a code: `{code, expires_at_ms, terms}` in the language, by the service's `clock`; `copied()` is told.
 * Returns {nodes, stop()}, where `stop` ends what ticks.
 */
export function drawCode(content, language, clock, copied, texts = codeTexts(language)) {
  const code = el('output', { class: 'code', text: content.code });
  const copy = el('button', { class: 'primary', text: texts.copy, onclick: () => copyCode(code, copy, texts, copied) });
  const href = applied(content.code);
  const until = el('span', { class: 'until' });
  const left = el('span', { class: 'left', 'aria-hidden': 'true' }); // the clock time says it without ticking
  const nodes = [
    el('div', { class: 'ticket' }, code, copy, href ? el('a', { class: 'plain', href, text: texts.apply, onclick: copied }) : null),
    el('p', { class: 'expiry' }, until, left),
    content.terms ? el('p', { class: 'terms', text: content.terms }) : null,
  ];
  const ends = content.expires_at_ms;
  if (!ends) return { nodes };
  const at = new Date(Date.now() + ends - clock());
  until.textContent = texts.until(at.toLocaleTimeString(language, { hour: 'numeric', minute: '2-digit' }));
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

async function copyCode(code, button, texts, copied) {
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code); // no clipboard on plain http: mark it, and try the old way
    if (!document.execCommand('copy')) return;
  }
  button.textContent = texts.copied;
  copied();
}
