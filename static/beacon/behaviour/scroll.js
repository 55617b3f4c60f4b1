// How far down this page view was seen: the lowest line that was in view, as a share of the page's height.

const SCROLL = 15;
const PAUSE_MS = 1000;
const STEP = 0.05;

export function followScroll({ add, guarded, listen, on }) {
  let told = 0;
  let pending = 0;

  function look() {
    pending = 0;
    const { scrollHeight } = document.documentElement;
    const depth = Math.min(1, Math.round((scrollY + innerHeight) / scrollHeight * 100) / 100);
    if (depth - told < STEP && (depth < 1 || told === 1)) return;
    told = depth;
    add([SCROLL, depth]);
  }

  const later = () => { pending = pending || setTimeout(guarded(look), PAUSE_MS); };
  listen(window, 'scroll', later);
  listen(window, 'resize', later);
  on('page', () => {
    told = 0;
    later();
  });
  later();
}
