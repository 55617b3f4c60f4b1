// What a page may call. The script itself is loaded by its tag; `import type {} from '.../router.d.ts'` or a reference
// brings `window.router` into view.

/** A product as the shop knows it; `price` in major units of the event's currency. */
export interface Item {
  id: string;
  name?: string;
  category?: string;
  brand?: string;
  variant?: string;
  price?: number;
  /** 1 if it is left out. */
  quantity?: number;
}

interface Money {
  value?: number;
  /** ISO 4217, such as `JPY`. */
  currency?: string;
}

/** Every event that a shop may report, by kind; docs/protocol.md says what each means. */
export interface Events {
  page: { path?: string; type?: string; title?: string; referrer?: string };
  list: { id: string; count: number };
  search: { terms?: string; results?: number };
  product: Money & { item: Item };
  cart_add: Money & { item: Item };
  cart_remove: Money & { item: Item };
  cart: Money & { lines: number; quantity: number; items?: Item[] };
  wishlist: { item: Item };
  checkout: Money & { coupon?: string };
  checkout_step: { number: number; name?: string };
  payment: { method?: string; result: 'started' | 'failed' | (string & {}) };
  purchase: Money & { order: string; tax?: number; shipping?: number; coupon?: string };
  /** `code_hash`: a hash of the code, never the code. */
  coupon: { code_hash: string; accepted: boolean };
}

/** What `on` can listen to beside the events themselves. */
export interface News {
  ready: { session: string };
  conversation: { cid: string; state: string };
  /** A talk that had an agent is over: the moment for the shop's own survey. */
  ended: { cid: string };
  shown: { decision: string };
  accepted: { decision: string };
  dismissed: { decision: string; never?: boolean };
  copied: { decision: string };
}

export interface Router {
  /** Report an event. One without what it needs does not exist. */
  track<K extends keyof Events>(kind: K, fields?: Events[K]): void;
  /** Who the shopper is, as the shop's backend signed it (docs/api.md). */
  identify(token: string): void;
  /** true: keep and send from now on; false: forget everything, here and at the service. Outweighs every other source. */
  consent(given: boolean): void;
  /** Ask for a person, of this queue or of the shop's first; an open chat is shown. */
  open(queue?: string): void;
  /** Hear of events and news. A listener that throws three times is not called again. */
  on<K extends keyof (Events & News)>(name: K, listener: (fields: (Events & News)[K]) => void): void;
  /** The session token for the shop's backend; null before the first welcome. */
  session(): string | null;
  /** Leave this page: nothing is watched, sent or drawn any more. What is kept stays. */
  destroy(): void;
  /** A call as a list, also before the script is there. */
  push(call: [name: string, ...words: unknown[]]): void;
}

declare global {
  interface Window {
    router: Router | unknown[];
  }
}
