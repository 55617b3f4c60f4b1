import { cart, cartData, el, keepCart, keepOrder, price, product, push, shippingFee, subtotal, sums, title } from './shop.js';
import { language, texts } from './texts.js';

const box = document.querySelector('#checkout');
const lines = cart();
const value = subtotal(lines);
const fee = shippingFee(value);
let attempt = null; // the same order is tried again only when no answer came
title(texts.checkout);

const field = (id, label, attributes) => el('p', { class: 'field' }, el('label', { for: id, text: label }), el('input', { id, ...attributes }));
const radio = (value, label, checked) => el('label', { class: 'radio' }, el('input', { type: 'radio', name: 'payment', value, checked }), label);

const problem = el('p', { class: 'problem', role: 'alert', id: 'problem' });
const codeProblem = el('p', { class: 'problem', role: 'alert', id: 'code-problem' });
const submit = el('button', { class: 'button', text: texts.order });
const form = el(
  'form',
  { id: 'order' },
  el('h2', { text: texts.address }),
  field('name', texts.name, { autocomplete: 'name', required: true, maxlength: '80' }),
  field('street', texts.street, { autocomplete: 'street-address', required: true, maxlength: '200' }),
  el('h2', { text: texts.payment }),
  el('div', { class: 'radios' }, radio('card', texts.card, true), radio('cash', texts.cash, false)),
  el('h2', { text: texts.code }),
  field('code', texts.codeHint, { autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', maxlength: '40', 'aria-describedby': 'code-problem' }),
  codeProblem,
  submit,
  problem,
);

function summary() {
  return el(
    'aside',
    { class: 'summary' },
    el('ul', { class: 'brief' }, ...lines.map((line) => el('li', {}, el('span', { text: product(line.id)[language].name }), el('span', { text: `× ${line.quantity}` })))),
    sums([[texts.subtotal, price(value)], [texts.shippingFee, fee ? price(fee) : texts.free], [texts.total, price(value + fee)]]),
    el('p', { class: 'hint', text: texts.demoNote }),
  );
}

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => (byte % 36).toString(36)).join('');

async function place(code) {
  attempt = attempt || random();
  const body = JSON.stringify({
    attempt, code, items: lines, session: window.router && window.router.session ? window.router.session() : null,
  });
  const answer = await fetch('/demo/api/checkout', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  const result = await answer.json();
  attempt = null;
  return answer.ok ? result : Promise.reject(Object.assign(new Error(result.text), { name: result.error }));
}

const track = (kind, fields) => window.router && window.router.track && window.router.track(kind, fields);

/** Tell that a code was tried: a hash of it, which is nobody's code. */
async function tellCoupon(code, accepted) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code));
  track('coupon', { code_hash: Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(''), accepted });
}

function refuse(error, code) {
  const { errors } = texts;
  const known = Object.prototype.hasOwnProperty.call(errors, error.name) && errors[error.name];
  const aboutCode = ['unknown_code', 'redeemed', 'expired'].includes(error.name);
  (aboutCode ? codeProblem : problem).textContent = known || (attempt ? errors.offline : errors.other);
  if (aboutCode) {
    document.querySelector('#code').focus();
    tellCoupon(code, false);
  }
  track('payment', { result: 'failed' });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const code = document.querySelector('#code').value.trim();
  problem.textContent = codeProblem.textContent = '';
  submit.disabled = true;
  submit.textContent = texts.ordering;
  push('add_shipping_info', { ...cartData(), shipping_tier: 'standard' });
  push('add_payment_info', { ...cartData(), payment_type: new FormData(form).get('payment') });
  try {
    const order = await place(code);
    if (code) tellCoupon(code, true);
    keepOrder({ ...order, code, value: order.total - order.shipping, items: cartData().items });
    keepCart([]);
    location.assign('/demo/thanks');
  } catch (error) {
    refuse(error, code);
    submit.disabled = false;
    submit.textContent = texts.order;
  }
});

if (lines.length) {
  box.append(form, summary());
  push('begin_checkout', cartData());
} else box.append(el('div', { class: 'prose' }, el('p', { text: texts.empty }), el('a', { class: 'button', href: '/demo/', text: texts.all })));
