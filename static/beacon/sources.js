// One action reported by two sources counts once: the same kind and item from two sources within 2 s is a pair,
// counted at its first report; from then on the source of lower rank is mute for that kind. Two reports by one
// source are two actions. What stands in the page counts only as long as nobody else has told of its kind. A purchase
// counts once an order number, also after a reload of the thank-you page.

const PAIR_MS = 2000;
const ORDERS = 10;

/** Ranks of sources: what the shop says itself outranks its platform's events, these its data layer, that what stands in the page. */
export const IN_PAGE = 1;
export const DATA_LAYER = 2;
export const PLATFORM = 3;
export const TRACKED = 4;

/** `admit(rank, kind, fields)`: does this report count? On the clock `now`, remembering orders in `store`. */
export function createSources(store, now) {
  const ranks = {};
  let recent = [];
  let orders = null;

  function paired(rank, kind, key) {
    const at = now();
    recent = recent.filter((report) => at - report.at < PAIR_MS);
    const other = recent.findIndex((report) => report.key === key && report.rank !== rank);
    if (other < 0) {
      recent.push({ key, rank, at });
      return false;
    }
    ranks[kind] = Math.max(rank, recent[other].rank);
    recent.splice(other, 1);
    return true;
  }

  function repeated(order) {
    orders = orders || store.get('o') || [];
    if (orders.includes(order)) return true;
    orders = [...orders, order].slice(-ORDERS);
    store.set('o', orders);
    return false;
  }

  return function admit(rank, kind, fields) {
    if (rank < (ranks[kind] || 0)) return false;
    if (rank > IN_PAGE) ranks[kind] = ranks[kind] || DATA_LAYER;
    const about = fields.item?.id || fields.order || fields.name || fields.result || '';
    if (paired(rank, kind, `${kind} ${about}`)) return false;
    return kind !== 'purchase' || !repeated(String(fields.order));
  };
}
