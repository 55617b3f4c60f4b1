import { catalogue, el, price, title } from './shop.js';
import { texts } from './texts.js';

const { flat, free_from: free } = catalogue.shipping;
title(texts.shipping);
document.querySelector('#fees').append(
  el('tr', {}, el('th', { scope: 'row', text: texts.feeMain }), el('td', { text: price(flat) })),
  el('tr', {}, el('th', { scope: 'row', text: texts.feeFree(price(free)) }), el('td', { text: texts.free })),
);
