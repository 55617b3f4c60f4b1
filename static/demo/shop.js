// What every page of the shop has: catalogue, cart, data layer, header and footer.

import { language, texts } from './texts.js';

const CART = 'utsuwa_cart';
const ORDER = 'utsuwa_order';
const STRIP = 'utsuwa_strip';

/** An element; `text` becomes its text, `on...` listeners, all else attributes. */
export function el(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter(Boolean));
  return element;
}

export const price = (yen) => new Intl.NumberFormat(language === 'en' ? 'en' : 'ja-JP', { style: 'currency', currency: 'JPY' }).format(yen);

export const catalogue = await (await fetch('/demo/catalogue.json')).json();
export const product = (id) => catalogue.products.find((each) => each.id === id);

// --- the data layer, as a shop of this kind fills it ---

/** An item as GA4 describes it. */
export function gaItem(id, quantity = 1) {
  const { price: each, category, ...all } = product(id);
  return { item_id: id, item_name: all[language].name, item_category: category, item_brand: all[language].maker, price: each, quantity };
}

export function push(event, ecommerce) {
  window.dataLayer = window.dataLayer || [];
  window.dataLayer.push({ event, ecommerce: { currency: catalogue.currency, ...ecommerce } });
}

// --- the cart ---

function kept(area, key) {
  try {
    return JSON.parse(window[area].getItem(key));
  } catch {
    return null;
  }
}

/** Lines `{id, quantity}` of products that exist. */
export const cart = () => (kept('localStorage', CART) || []).filter((line) => product(line.id) && line.quantity > 0);
export const subtotal = (lines = cart()) => lines.reduce((sum, line) => sum + product(line.id).price * line.quantity, 0);
export const shippingFee = (value) => !value || value >= catalogue.shipping.free_from ? 0 : catalogue.shipping.flat;
export const lastOrder = () => kept('sessionStorage', ORDER);
export const keepOrder = (order) => sessionStorage.setItem(ORDER, JSON.stringify(order));

export function keepCart(lines) {
  localStorage.setItem(CART, JSON.stringify(lines));
  drawCount();
}

/** Change a line by `quantity` and tell the data layer what was added or removed. */
export function change(id, quantity) {
  const lines = cart();
  const line = lines.find((each) => each.id === id);
  if (line) line.quantity += quantity;
  else lines.push({ id, quantity });
  keepCart(lines.filter((each) => each.quantity > 0));
  const items = [gaItem(id, Math.abs(quantity))];
  push(quantity > 0 ? 'add_to_cart' : 'remove_from_cart', { value: product(id).price * Math.abs(quantity), items });
}

/** What the data layer is told of the whole cart. */
export function cartData() {
  const lines = cart();
  return { value: subtotal(lines), items: lines.map((line) => gaItem(line.id, line.quantity)) };
}

// --- what is drawn on each page ---

const count = el('span', { class: 'count' });

function drawCount() {
  const pieces = cart().reduce((sum, line) => sum + line.quantity, 0);
  count.textContent = pieces ? String(pieces) : '';
}

function otherLanguage() {
  const address = new URL(location.href);
  address.searchParams.set('lang', language === 'en' ? 'ja' : 'en');
  return el('a', { href: address.pathname + address.search, hreflang: address.searchParams.get('lang'), lang: address.searchParams.get('lang'), text: language === 'en' ? '日本語' : 'English' });
}

function strip() {
  if (kept('localStorage', STRIP)) return null;
  const box = el(
    'aside',
    { class: 'strip', 'aria-label': texts.tryTitle },
    el(
      'details',
      { open: innerWidth > 760 },
      el('summary', { text: texts.tryTitle }),
      el('ol', {}, el('li', { text: texts.tryOne }), el('li', { text: texts.tryTwo })),
      el('a', { href: '/agent/', target: '_blank', rel: 'noopener', text: texts.tryThree }),
    ),
    el('button', { class: 'hide', 'aria-label': texts.hide, onclick: () => { localStorage.setItem(STRIP, 'true'); box.remove(); } }),
  );
  return box;
}

/** A product in a list. */
export function tile({ id, price: yen, image, ...all }) {
  const { name, maker } = all[language];
  return el('li', {}, el(
    'a',
    { class: 'tile', href: `/demo/p/${id}` },
    el('img', { src: `/demo/img/${image}`, alt: '', width: '400', height: '400' }),
    el('span', { class: 'maker', text: maker }),
    el('span', { class: 'name', text: name }),
    el('span', { class: 'price', text: price(yen) }),
  ));
}

/** The lines of a sum, each [label, text], the last one strong. */
export function sums(rows) {
  return el('dl', { class: 'sums' }, ...rows.map(([label, text]) => el('div', {}, el('dt', { text: label }), el('dd', { text }))));
}

export function title(text) {
  document.title = `${text}｜${texts.shop}`;
}

document.querySelector('.top').append(
  el('a', { class: 'brand', href: '/demo/' }, el('span', { text: texts.shop }), el('small', { text: texts.tagline })),
  el(
    'nav',
    {},
    el('a', { href: '/demo/shipping', text: texts.shipping }),
    el('a', { href: '/demo/shipping', 'data-router-chat': '', text: texts.contact }),
    otherLanguage(),
    el('a', { class: 'to-cart', href: '/demo/cart' }, el('span', { text: texts.cart }), count),
  ),
);
document.querySelector('.foot').append(el('p', { text: texts.demoNote }), el('p', { text: texts.taxNote }));
const hint = strip();
if (hint) document.querySelector('.top').before(hint);
for (const element of document.querySelectorAll('[data-t]')) element.textContent = texts[element.dataset.t];
drawCount();
