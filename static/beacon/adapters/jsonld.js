// schema.org Product data of a page: what it is about, where nobody else says so.

/** The price that the page declares. */
export const BASIS = 'offers.price, else offers.lowPrice';

const is = (node, type) => [node?.['@type']].flat().includes(type);

/** The one product that these nodes are about, as an event's fields; null if there is none, or several. */
export function product(nodes) {
  const all = nodes.flat().flatMap((node) => node?.['@graph'] || [node]);
  const found = all.filter((node) => is(node, 'Product') || is(node, 'ProductGroup'));
  if (found.length !== 1) return null;
  const [{ sku, productID, productGroupID, name, category, brand, offers }] = found;
  const offer = [offers].flat()[0] || {};
  const { price = offer.lowPrice, priceCurrency = offer.priceCurrency } = [offer.priceSpecification].flat()[0] || offer;
  return {
    item: { id: sku || productID || productGroupID || name, name, category: category?.name || category, brand: brand?.name || brand, price },
    currency: priceCurrency,
  };
}

/** What the page's scripts say; one that is no JSON says nothing. */
function read(doc) {
  return [...doc.querySelectorAll('script[type="application/ld+json"]')].map((script) => {
    try {
      return JSON.parse(script.textContent);
    } catch {
      return null;
    }
  });
}

export const mount = ({ shown }) => shown('product', (doc) => product(read(doc)));
