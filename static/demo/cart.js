import { cart, cartData, catalogue, change, el, price, product, push, shippingFee, subtotal, sums, title } from './shop.js';
import { language, texts } from './texts.js';

const box = document.querySelector('#cart');
title(texts.cart);

function row({ id, quantity }) {
  const piece = product(id);
  const { name, maker } = piece[language];
  const step = (by, label, text) => el('button', { class: 'step', 'aria-label': `${name} ${label}`, text, onclick: () => { change(id, by); draw(); } });
  return el(
    'li',
    { class: 'line' },
    el('a', { href: `/demo/p/${id}` }, el('img', { src: `/demo/img/${piece.image}`, alt: '', width: '96', height: '96' })),
    el('div', {}, el('a', { class: 'name', href: `/demo/p/${id}`, text: name }), el('p', { class: 'maker', text: maker })),
    el('div', { class: 'steps' }, step(-1, '−1', '−'), el('span', { text: String(quantity) }), step(1, '+1', '+')),
    el('span', { class: 'price', text: price(piece.price * quantity) }),
    el('button', { class: 'link', text: texts.remove, 'aria-label': `${name} ${texts.remove}`, onclick: () => { change(id, -quantity); draw(); } }),
  );
}

function draw() {
  const lines = cart();
  const value = subtotal(lines);
  if (!lines.length) {
    box.replaceChildren(el('div', { class: 'prose' }, el('p', { text: texts.empty }), el('p', { class: 'hint', text: texts.emptyText }), el('a', { class: 'button', href: '/demo/', text: texts.all })));
    return;
  }
  const fee = shippingFee(value);
  box.replaceChildren(
    el('ul', { class: 'lines' }, ...lines.map(row)),
    el(
      'aside',
      { class: 'summary' },
      sums([[texts.subtotal, price(value)], [texts.shippingFee, fee ? price(fee) : texts.free], [texts.total, price(value + fee)]]),
      el('a', { class: 'button', href: '/demo/checkout', text: texts.toCheckout }),
      el('p', { class: 'hint' }, `${texts.freeFrom(price(catalogue.shipping.free_from))} · `, el('a', { href: '/demo/shipping', text: texts.toShipping })),
    ),
  );
}

draw();
push('view_cart', cartData());
