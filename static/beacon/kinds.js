// The event vocabulary on the wire: `router/core/events.py` as a table. A field is `type.name`, in order; a `!`
// says that the event is nothing without it. What does not fit a field's type becomes nil, never a bad frame.

const KINDS = {
  __proto__: null, // so that a kind called "constructor" is unknown
  page: '1 w!type p!path p.referrer t.title w.language',
  list: '2 i!id n!count',
  search: '3 t.terms n.results',
  product: '4 o!item m.value c.currency',
  cart_add: '5 o!item m.value c.currency',
  cart_remove: '6 o!item m.value c.currency',
  cart: '7 n!lines n!quantity m.value c.currency l.items',
  wishlist: '8 o!item',
  checkout: '9 m.value c.currency t.coupon',
  checkout_step: '10 n!number t.name',
  payment: '11 w.method w!result',
  purchase: '12 i!order m.value c.currency m.tax m.shipping t.coupon',
  coupon: '13 w!code_hash b!accepted',
  dwell: '14 d!ms n!state',
  shown: '30 i!decision',
  accepted: '31 i!decision',
  dismissed: '32 i!decision b.never',
  copied: '33 i!decision',
  deferred: '34 i!decision w!reason',
};

const CART_ITEMS = 20;

const text = (length) => (value) => value == null || value === '' ? null : String(value).slice(0, length);
const amount = (most, round) => (value) => {
  const number = value == null || value === '' ? NaN : Number(value);
  return number >= 0 && number <= most ? round(number) : null;
};

const name = text(100);
const TYPES = {
  w: text(40),
  t: text(200),
  p: text(300),
  i: text(80),
  n: amount(1e6, Math.round),
  d: amount(864e5, Math.round),
  m: amount(1e12, Number),
  c: (value) => /^[a-z]{3}$/i.test(value) ? `${value}`.toUpperCase() : null,
  b: (value) => !!value,
  o: item,
  l: (list) => Array.isArray(list) ? list.slice(0, CART_ITEMS).map(item).filter(Boolean) : null,
};

/** `{id, name, category, brand, variant, price, quantity}` on the wire, or null without an id. */
function item(value) {
  const id = value && TYPES.i(value.id);
  if (!id) return null;
  const quantity = amount(1e5, Math.round)(value.quantity);
  return [id, name(value.name), name(value.category), name(value.brand), name(value.variant), TYPES.m(value.price), quantity === null ? 1 : quantity];
}

/** An event as `[kind number, ...fields]`, or null if `kind` is unknown or a needed field does not fit. */
export function pack(kind, fields = {}) {
  if (!KINDS[kind]) return null;
  const [number, ...specs] = KINDS[kind].split(' ');
  const event = [+number];
  for (const spec of specs) {
    const value = TYPES[spec[0]](fields[spec.slice(2)]);
    if (value === null && spec[1] === '!') return null;
    event.push(value);
  }
  return event;
}
