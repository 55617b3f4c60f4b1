// The widget's own element and the few tools to draw in it: text is only ever text.

import style from './style.css';

/** An element: `el('p', {class: 'title', text: 'Hello', onclick: f}, child, ...)`; null children are left out. */
export function el(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter(Boolean));
  return element;
}

/**
 * Put our element at the end of the document. Returns `stack`, where cards and the chat stand, `say(text)`, which
 * has a screen reader say it politely, and `remove()`.
 */
export function createHost(language) {
  const host = document.createElement('router-ui');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const live = el('div', { class: 'quiet', role: 'status', 'aria-live': 'polite', lang: language });
  const stack = el('div', { class: 'stack', lang: language }); // not on the host: `all: initial` resets it there
  root.append(live, stack);
  // Keys pressed in the widget are not the shop's shortcuts, nor is what is copied there the shop's affair.
  for (const name of ['keydown', 'keyup', 'keypress', 'copy', 'cut', 'paste']) stack.addEventListener(name, (event) => event.stopPropagation());
  followKeyboard(host);
  document.documentElement.append(host);
  return {
    stack,
    say: (text) => {
      live.textContent = '';
      setTimeout(() => { live.textContent = text; }, 150); // readers only notice a change of what was there
    },
    remove: () => host.remove(),
  };
}

/** Stay above a phone's keyboard: it covers the layout's bottom without moving it. */
function followKeyboard(host) {
  const view = window.visualViewport;
  if (!view) return;
  const fit = () => {
    const covered = view.scale > 1.05 ? 0 : Math.max(0, window.innerHeight - view.height - view.offsetTop);
    host.style.setProperty('--router-covered', `${covered}px`);
    host.style.setProperty('--router-room', `${view.scale > 1.05 ? window.innerHeight : view.height}px`);
  };
  view.addEventListener('resize', fit);
  view.addEventListener('scroll', fit);
  fit();
}

/** A link only to the web: an address of another scheme is not drawn. */
export function address(url) {
  try {
    const { href, protocol } = new URL(url, document.baseURI);
    return protocol === 'https:' || protocol === 'http:' ? href : null;
  } catch {
    return null;
  }
}
