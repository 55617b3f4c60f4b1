// Replies that agents begin an answer with: what was typed after a slash, and which of them fit. Pure.

const SLASH = /^[/\uFF0F]([^\n]*)$/; // also the full-width one that an input method leaves

/** What is looked for, lower case; null if the draft is no call for a reply. */
export function asked(draft) {
  const found = SLASH.exec(draft);
  return found ? found[1].trim().toLowerCase() : null;
}

/** The replies `{id, ja, en}` whose name or text has it, those whose name begins with it first. */
export function matching(replies, wanted) {
  if (wanted === null) return [];
  const begins = replies.filter(({ id }) => id.startsWith(wanted));
  const has = replies.filter((reply) => !begins.includes(reply) && Object.values(reply).some((text) => text.toLowerCase().includes(wanted)));
  return [...begins, ...has];
}

/** A reply in the shopper's language: Japanese, or English for all else. */
export const words = (reply, language) => (/^ja\b/.test(language ?? "ja") ? reply.ja : reply.en);
