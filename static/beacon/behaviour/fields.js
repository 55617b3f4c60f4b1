// Struggle with a form field: how long it was filled in and how often its value was cut back. Never what it says nor
// what the shop calls it; passwords and cards are not looked at.

const STRUGGLE = 19;
const COUPON = /coupon|promo|voucher|discount|クーポン/i;
const LEAST_MS = 1000;
const KINDS = 'input:not([type=password]),textarea';

/** What kind of field it is, by what it tells browsers: its autocomplete token, else its type; and whether it is for a coupon. */
export function fieldKind({ autocomplete, type, name, id, placeholder }) {
  if (COUPON.test(`${name} ${id} ${placeholder}`)) return 'coupon';
  return (autocomplete || '').split(' ').pop().replace(/^(on|off)$/, '') || type;
}

export function followFields({ add, listen, now }) {
  let field = null;
  let since = 0;
  let edits = 0;
  let length = 0;
  let growing = true;

  listen(document, 'focusin', ({ target }) => {
    field = target.matches?.(KINDS) && !/^cc-/.test(fieldKind(target)) ? target : null;
    if (!field) return;
    since = now();
    edits = 0;
    length = field.value.length;
    growing = true;
  });
  listen(document, 'input', ({ target }) => {
    if (target !== field) return;
    const next = field.value.length;
    if (growing && next < length) edits++;
    growing = next > length || (growing && next === length);
    length = next;
  });
  listen(document, 'focusout', ({ target }) => {
    if (target !== field) return;
    const ms = Math.round(now() - since);
    if (ms >= LEAST_MS || edits || (fieldKind(field) === 'coupon' && field.value)) add([STRUGGLE, fieldKind(field).slice(0, 40), Math.min(ms, 864e5), edits]);
    field = null;
  });
}
