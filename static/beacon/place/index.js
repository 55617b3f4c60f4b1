// Where a card may stand: a corner of the page in which nothing lies that the shopper may need. Fetched with the first card.

const RIGHT_OF = { right: 'end', left: 'start' };
const NEEDED = 'button, [role=button], input, select, textarea, summary, [contenteditable], [aria-modal], dialog';
const GRID = 5; // points a side are looked at

export function mount() {
  return { settle };
}

/**
 * Move `stack`, in which `card` stands, into a free corner: false if there is none. What is needed is a control, or anything
 * fixed or sticky that is not the page itself, such as a cookie banner or a bar with the button to pay.
 */
function settle(stack, card) {
  const corners = innerWidth <= 480 ? [['', 'bottom'], ['', 'top']] : [['right', 'bottom'], ['left', 'bottom'], ['right', 'top'], ['left', 'top']];
  const own = stack.getRootNode().host;
  for (const [side, edge] of corners) {
    put(stack, side, edge);
    if (isFree(card.getBoundingClientRect(), own)) return true;
  }
  put(stack, innerWidth <= 480 ? '' : 'right', 'bottom');
  return false;
}

function put({ style }, side, edge) {
  for (const each of ['left', 'right', 'top', 'bottom', 'align-items']) style.removeProperty(each);
  if (edge === 'top') move(style, 'bottom', 'top', 'env(safe-area-inset-top)');
  if (side !== 'left') return;
  move(style, 'right', 'left', 'env(safe-area-inset-left)');
  style.setProperty('align-items', `flex-${RIGHT_OF[side]}`);
}

function move(style, from, to, inset) {
  style.setProperty(from, 'auto');
  style.setProperty(to, `calc(20px + ${inset})`);
}

function isFree({ left, top, width, height }, own) {
  if (left < 0 || top < 0) return false;
  for (let n = 0; n < GRID * GRID; n++) {
    const x = left + 1 + ((width - 2) * (n % GRID)) / (GRID - 1);
    const y = top + 1 + ((height - 2) * Math.floor(n / GRID)) / (GRID - 1);
    if (document.elementsFromPoint(x, y).some((element) => element !== own && isNeeded(element))) return false;
  }
  return true;
}

function isNeeded(element) {
  if (element.closest(NEEDED)) return true;
  for (let each = element; each && each !== document.body; each = each.parentElement) {
    const { position } = getComputedStyle(each);
    const { width, height } = each.getBoundingClientRect();
    // What fills the window is a background, not a banner.
    if (/fixed|sticky/.test(position) && width * height < innerWidth * innerHeight * 0.9) return true;
  }
  return false;
}
