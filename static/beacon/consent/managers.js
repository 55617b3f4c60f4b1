// Consent managers that shops use, each read by its documented interface: what it says now, and whenever it changes. Asked for
// is statistics: measuring what visitors do on this site. `say(given)` gets true or false, and nothing where it is still open.

const STORE = 1; // purposes of the IAB's framework: store and read on the device,
const MEASURE = 8; // and measure how content performs

/** Of an IAB TC string's data: may we? Undefined while the visitor has not answered. */
export function ofFramework({ gdprApplies, eventStatus, purpose }) {
  if (gdprApplies === false) return true;
  if (!/tcloaded|useractioncomplete/.test(eventStatus)) return undefined;
  const { consents = {}, legitimateInterests = {} } = purpose || {};
  return !!(consents[STORE] && (consents[MEASURE] || legitimateInterests[MEASURE]));
}

/** Of an entry of Google's data layer: may we? Undefined where it says nothing of this. */
export function ofGoogle(entry) {
  const word = entry?.[0] === 'consent' && /default|update/.test(entry[1]) && entry[2]?.analytics_storage;
  // A default of "denied" only says that nobody was asked yet.
  if (!word || (entry[1] === 'default' && word === 'denied')) return undefined;
  return word === 'granted';
}

function framework(win, say) {
  if (!win.__tcfapi) return;
  win.__tcfapi('addEventListener', 2, (data, success) => success && say(ofFramework(data)));
}

function google(win, say) {
  const layer = win.dataLayer = win.dataLayer || [];
  const { push } = layer;
  [...layer].forEach((entry) => say(ofGoogle(entry)));
  layer.push = function (...entries) {
    const result = push.apply(this, entries);
    entries.forEach((entry) => say(ofGoogle(entry)));
    return result;
  };
}

function shopify(win, say, listen) {
  const look = () => {
    const privacy = win.Shopify?.customerPrivacy;
    const answered = privacy?.currentVisitorConsent?.().analytics;
    if (answered || privacy?.shouldShowBanner?.() === false) say(privacy.analyticsProcessingAllowed());
  };
  look();
  listen(win.document, 'visitorConsentCollected', look);
}

function wordpress(win, say, listen) {
  const look = () => win.wp_has_consent && say(win.wp_has_consent('statistics') || (win.consent_api_get_cookie?.(`${win.consent_api?.cookie_prefix}_statistics`) ? false : undefined));
  look();
  listen(win.document, 'wp_listen_for_consent_change', ({ detail }) => {
    if (detail?.statistics) say(detail.statistics === 'allow');
  });
}

/** Follow all of them; one that breaks does not hinder the others. */
export function followManagers({ consented, guarded, listen }, win = window) {
  const say = guarded((given) => given === undefined || consented(given));
  for (const follow of [framework, google, shopify, wordpress]) guarded(follow)(win, say, listen);
}

/** Is there any of them? */
export const isManaged = (win) => !!(win.__tcfapi || win.wp_has_consent || win.Shopify?.customerPrivacy || win.dataLayer?.some?.((entry) => entry?.[0] === 'consent'));
