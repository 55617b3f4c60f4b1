// Where this visit came from: told once a session, and again when an address names a campaign.

import { isTouch } from './index.js';

const VISIT = 22;

/** phone, tablet or desktop, by how it is used and how large it is. */
export function device() {
  if (!isTouch()) return 'desktop';
  return Math.min(screen.width, screen.height) < 600 ? 'phone' : 'tablet';
}

export function tellOrigin({ add, address, get, on, session, set }) {
  const meta = document.querySelector('meta[name="router:country"]');
  const query = new URLSearchParams(location.search);
  const word = (name, length = 40) => (query.get(`utm_${name}`) || '').slice(0, length) || null;

  function tell(token) {
    if (get('w') === token) return;
    set('w', token);
    const country = meta ? meta.content : address.searchParams.get('country');
    add([VISIT, device(), word('source'), word('medium'), word('campaign', 200), country && country.slice(0, 40), -new Date().getTimezoneOffset()]);
  }

  if (word('campaign')) set('w', null);
  on('ready', (welcome) => tell(welcome.session));
  tell(session());
}
