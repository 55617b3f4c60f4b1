// How much a search has found, where the page says it itself: `<meta name="router:results" content="0">`.

/** The number that this page states, or none at all. */
export const stated = () => +(document.querySelector('meta[name="router:results"]')?.content.trim() || NaN);

/** An event's fields; a search that does not know how much it found gets it from the page. */
export const counted = (kind, fields) => (kind === 'search' ? { results: fields.results ?? stated() } : fields);
