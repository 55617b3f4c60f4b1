import { el, lastOrder, price, push, sums, title } from './shop.js';
import { texts } from './texts.js';

const order = lastOrder();
title(texts.thanks);
document.querySelector('#thanks').append(
  el('h1', { text: order ? texts.thanks : texts.noOrder }),
  ...(order ? [
    el('p', { text: texts.thanksText }),
    sums([
      [texts.orderNumber, order.order],
      ...(order.discount ? [[texts.discount, `−${price(order.discount)}`]] : []),
      [texts.total, price(order.total)],
    ]),
  ] : []),
  el('p', {}, el('a', { class: 'button', href: '/demo/', text: texts.back })),
);
if (order) push('purchase', { transaction_id: order.order, value: order.value, shipping: order.shipping, coupon: order.code || undefined, items: order.items });
