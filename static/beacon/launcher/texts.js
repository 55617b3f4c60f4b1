// What the launcher says.

const TEXTS = {
  ja: { language: 'ja', open: 'チャットで相談' },
  en: { language: 'en', open: 'Chat with us' },
};

/** Japanese for Japanese pages, English for all others. */
export function textsFor(language) {
  return /^ja\b/i.test(language || '') ? TEXTS.ja : TEXTS.en;
}
