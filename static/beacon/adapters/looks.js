// For adapters that read what a platform's templates show.

const LOOKS_MS = [300, 1000, 3000]; // a button's request takes its time, and the page is drawn anew after it

/** Look now, and a few times after each click. */
export function followClicks({ guarded, listen }, look) {
  const safe = guarded(look);
  safe();
  listen(document, 'click', () => LOOKS_MS.forEach((ms) => setTimeout(safe, ms)));
}

/** A number as it is shown, with full-width digits, commas and units or without; null if there is none. */
export function number(text) {
  const digits = String(text ?? '').normalize('NFKC').replace(/[^\d.]/g, '');
  return digits ? +digits : null;
}

/** The largest whole number in a text such as "1-12 of 30"; 0 if there is none. */
export const largest = (text) => Math.max(...text.split(/\D+/));
