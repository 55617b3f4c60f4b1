// A cart as a platform shows it, again and again: what was put in and taken out is what two snapshots differ by.

const count = (items) => items.reduce((sum, { quantity }) => sum + quantity, 0);

/** What led from the items `before` to those `after`, as `[kind, item]`; an item's quantity is how many came or went. */
export function changes(before, after) {
  const ids = new Set([...before, ...after].map(({ id }) => id));
  return [...ids].flatMap((id) => {
    const [was, is] = [before, after].map((items) => items.filter((item) => item.id === id));
    const more = count(is) - count(was);
    return more ? [[more > 0 ? 'cart_add' : 'cart_remove', { ...(is[0] || was[0]), quantity: Math.abs(more) }]] : [];
  });
}

/** A function that takes `{items, value, currency}` each time and reports what is new; the first is how it stood at the start. */
export function followCart(report) {
  let before = null;
  let told = '';
  return ({ items, value, currency }) => {
    const state = JSON.stringify([items, value]);
    if (state === told || (!before && !items.length)) return void (before = items);
    for (const [kind, item] of changes(before || items, items)) report(kind, { item, currency });
    report('cart', { lines: items.length, quantity: count(items), value, currency, items });
    before = items;
    told = state;
  };
}

/** A coupon's hash, since the code is nobody's business. */
export async function hashed(code) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(String(code).trim().toUpperCase()));
  return [...new Uint8Array(bytes, 0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
