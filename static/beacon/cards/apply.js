// Using a code with one tap, where the shop has an address for it: what its meta element says, or the platform's own.

/** Where a tap leads that applies `code`; null where the shopper has to type it. */
export function applied(code, doc = document, win = window) {
  const template = doc.querySelector('meta[name="router:apply"]')?.content
    || (win.Shopify?.shop && `/discount/{code}?redirect=${encodeURIComponent(win.location.pathname)}`);
  if (!template) return null;
  const url = new URL(template.replace('{code}', encodeURIComponent(code)), doc.baseURI);
  return url.origin === win.location.origin ? url.href : null; // a code is the shop's alone
}
