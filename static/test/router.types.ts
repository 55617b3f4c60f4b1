// Compiled, never run: what a shop may write, and what its compiler refuses.

import type { Router } from '../beacon/router.d.ts';

declare const router: Router;

router.track('cart_add', { item: { id: 'cup', price: 4800 }, currency: 'JPY' });
router.track('page');
router.identify('token');
router.consent(true);
router.open();
router.open('checkout-help');
router.on('conversation', ({ state }) => state.toUpperCase());
router.on('purchase', ({ order }) => order.length);
router.push(['track', 'list', { id: 'new', count: 3 }]);
const token: string | null = router.session();
router.destroy();

// @ts-expect-error a cart needs its lines
router.track('cart', { quantity: 1 });
// @ts-expect-error no such event
router.track('cart_ad', {});
// @ts-expect-error consent is yes or no
router.consent('yes');

export { token };
