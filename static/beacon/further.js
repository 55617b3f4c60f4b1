// Our texts, or those that the shop has for another language.

/** `own` texts of a part of ours, or the shop's in the page's language (chunk `texts`). */
export const further = async (core, part, own) => core.address.searchParams.has('texts')
  ? (await core.chunk('texts')()).over(part, own)
  : own;
