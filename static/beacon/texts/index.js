// Texts in further languages, out of a file of the shop's: `texts=` in the script's address. It is JSON by language and part,
// `{"fr": {"widget": {...}, "contact": {...}}}`, with the names of our own texts; `{}` stands where a number or a name goes.
// What it leaves out stays English.

let file;

export function mount(core) {
  file = file || read(core.address.searchParams.get('texts'));
  return {
    /** The part's texts in the page's language, where the file has them: `own` are those that we have. */
    async over(part, own) {
      const [language] = (core.language() || '').toLowerCase().split('-');
      const given = (await file)?.[language]?.[part];
      return given ? { ...filled(own, given), language } : own;
    },
  };
}

async function read(address) {
  try {
    return await (await fetch(new URL(address, location.href), { credentials: 'omit' })).json();
  } catch {
    return null; // then ours have to do
  }
}

/** `own`, with what is given in its place; what is a function there becomes one here. */
export function filled(own, given) {
  const texts = { ...own };
  for (const [name, value] of Object.entries(own)) {
    const text = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value && typeof value === 'object') texts[name] = filled(value, text || {});
    else if (typeof text === 'string') texts[name] = typeof value === 'function' ? (word) => text.replace('{}', word) : text;
  }
  return texts;
}
