import { catalogue, change, el, gaItem, price, product, push, tile, title } from './shop.js';
import { language, texts } from './texts.js';

const id = decodeURIComponent(location.pathname.split('/').pop());
const piece = product(id);
const { name, maker, text, size } = piece[language];
title(name);

const done = el('p', { class: 'done', role: 'status' });
const quantity = el('select', { id: 'quantity' }, ...[1, 2, 3, 4, 5, 6].map((n) => el('option', { text: String(n) })));
const add = el('button', { class: 'button', text: texts.add, onclick: () => {
  change(id, Number(quantity.value));
  done.replaceChildren(texts.added, ' ', el('a', { href: '/demo/cart', text: texts.toCart }));
} });

document.querySelector('#product').append(
  el('img', { src: `/demo/img/${piece.image}`, alt: '', width: '400', height: '400' }),
  el(
    'div',
    {},
    el('p', { class: 'maker', text: maker }),
    el('h1', { text: name }),
    el('p', { class: 'price', text: price(piece.price) }),
    el('p', { text }),
    el('dl', { class: 'facts' }, el('dt', { text: texts.size }), el('dd', { text: size }), el('dt', { text: texts.maker }), el('dd', { text: maker })),
    el('div', { class: 'buy' }, el('label', { for: 'quantity', text: texts.quantity }), quantity, add),
    done,
    el('p', { class: 'hint' }, `${texts.freeFrom(price(catalogue.shipping.free_from))} · `, el('a', { href: '/demo/shipping', text: texts.toShipping })),
  ),
);
document.querySelector('#more').append(...catalogue.products.filter((each) => each.id !== id).slice(0, 4).map(tile));
push('view_item', { value: piece.price, items: [gaItem(id)] });
