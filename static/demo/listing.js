import { catalogue, el, gaItem, push, tile } from './shop.js';
import { texts } from './texts.js';

document.title = texts.shop;
document.querySelector('#products').append(...catalogue.products.map(tile));
document.querySelector('#guide').append(...texts.guide.map(([piece, size]) => el('tr', {}, el('th', { scope: 'row', text: piece }), el('td', { text: size }))));
if (location.hash === '#sizes') document.querySelector('#sizes').scrollIntoView();
push('view_item_list', { item_list_id: 'all', items: catalogue.products.map(({ id }) => gaItem(id)) });
