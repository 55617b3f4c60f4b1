// The beacon: one line of script in a shop's page. It tells the service what happens here and draws what the
// service asks for. It never throws into the page, never waits in its way, and keeps to the consent setting.

import { createConsent, DENIED, NOTICE } from './consent.js';
import { createQueue } from './queue.js';
import { createLink } from './link.js';
import { createSources, TRACKED } from './sources.js';
import { createStore } from './store.js';
import { createUi, canDraw } from './ui.js';
import { load } from './chunk.js';
import { encode } from './msgpack.js';
import { fits, pageId, route } from './ids.js';
import { followPage, language } from './page.js';
import { guarded, listen, silence, whenCalm } from './guard.js';
import { pack } from './kinds.js';

const VERSION = 1;
const WELCOME = 1;
const ACK = 2;
const GAP = 3;
const ERROR = 10;
const IDENTIFY = 8;

function boot(script) {
  const address = new URL(script.src);
  const site = address.searchParams.get('site');
  const early = window.router;
  if (!site || early?.session) return; // nothing to do, or here already
  const now = () => performance.timeOrigin + performance.now();
  const store = createStore();
  const queue = createQueue(store, pageId(), now);
  const admit = createSources(store, now);
  const listeners = [];
  const consent = createConsent(address.searchParams.get('consent'), turn);
  const may = () => consent.state() >= NOTICE;
  let running = false;
  let denied = consent.state() === DENIED;
  let customer = null;
  let session = null;
  let visitor = null;
  let previous = null;
  let skew = 0;
  let flushing = false;
  let said = '';

  const emit = (name, detail) => listeners.forEach(([wanted, fn]) => wanted === name && fn(detail));

  // --- events out ---

  function event(kind, fields) {
    const packed = pack(kind, fields);
    if (!packed) return;
    add(packed);
    emit(kind, fields);
  }

  function add(packed) {
    if (consent.state() === DENIED) return;
    queue.add(packed);
    if (!flushing) queueMicrotask(flush);
    flushing = true;
  }

  function flush() {
    flushing = false;
    if (!link.usable() || !may()) return;
    const batches = queue.batches();
    batches.forEach(link.send);
    queue.sent(batches);
    if (queue.waiting()) link.owed(true);
  }

  function report(rank, kind, fields = {}) {
    if (kind === 'page') page.view(fields);
    else if (admit(rank, kind, fields)) event(kind, fields);
  }

  /** What is not acknowledged when the page goes, or may go without another word. */
  function farewell() {
    flush();
    const batch = queue.last();
    const mark = batch && `${batch[1]} ${batch[2] + batch[3].length}`;
    if (!may() || !session || !batch || said === mark) return;
    said = mark;
    post('last', batch);
  }

  /** Bytes without a content type need no preflight, for which a dying page could not wait. */
  function post(path, what) {
    const body = encode([site, session, what]);
    fetch(`${address.origin}/v1/${path}`, { method: 'POST', body, keepalive: true, credentials: 'omit' }).catch(() => 0);
  }

  // --- messages in ---

  function welcome([, token, seen, marks, serverNow, config]) {
    if (config.consent === 'required') consent.ask();
    if (!running) return undefined;
    session = store.session = token;
    if (seen) visitor = store.visitor = seen;
    if (!queue.settle(marks)) return renew();
    if (skew) event(...page.state()[1]); // with a lost socket the service takes its page for hidden
    else if (may()) watch();
    skew = serverNow - now();
    flush();
    if (customer) link.send([IDENTIFY, customer]);
    emit('ready', { session });
    const wanted = config.talk || store.get('c') ? ui.call : ui.tell;
    return wanted('welcome', config);
  }

  /** The service does not know this page's beginning (the session is a new one): go on under a new page id. */
  function renew() {
    queue.renew(identify(), page.state().map((told) => pack(...told)));
    link.pause();
    link.open();
  }

  function receive(message) {
    const [number, first, second, about] = message;
    if (number === WELCOME) welcome(message);
    else if (number === ACK) {
      queue.ack(first, second);
      link.owed(false);
      if (queue.waiting()) flush();
    } else if (number === GAP) {
      if (queue.rewind(first, second)) flush();
      else renew();
    } else if (number === ERROR && first === 'page_forgotten') {
      if (!queue.rewind(about, 0)) renew();
    } else ui.receive(message);
  }

  // --- this page and its session ---

  /** A new page id, remembered for the next page of this tab. */
  function identify() {
    const id = pageId();
    store.set('p', id);
    return id;
  }

  function start() {
    store.open(consent.state());
    if (session) { // it began with less consent, or in a chat
      store.session = session;
      store.visitor = visitor;
      return flush();
    }
    previous = store.get('p');
    store.set('p', queue.page);
    visitor = fits(store.visitor, 'V', site) ? store.visitor : visitor;
    queue.load();
    if (store.get('c')) ui.call('restore');
    return whenCalm(connect);
  }

  /** With or without consent: a shopper who asks for a person needs a socket. */
  function connect() {
    running = true;
    link.open();
  }

  /** There is another consent now. */
  function turn(state) {
    if (state >= NOTICE) {
      if (denied) page.state().forEach((told) => event(...told)); // what was said meanwhile is gone
      return start();
    }
    denied = state === DENIED;
    if (denied) {
      if (session) post('forget', visitor);
      queue.clear();
    }
    stop();
    ui.tell('leave');
    return core.chunk('consent')();
  }

  function stop() {
    running = false;
    session = visitor = null;
    link.pause();
    store.close();
  }

  const link = createLink(
    async () => {
      if (fits(store.session, 'S', site)) session = store.session; // another tab may have a newer one
      return `${address.origin.replace('http', 'ws')}/v1/shopper/${await route(session)}`;
    },
    () => [1, VERSION, site, session, visitor, queue.page, previous, language(), !canDraw()],
    {
      message: receive,
      down: () => ui.tell('down'),
      anew() {
        if (!session) visitor = store.visitor = null;
        session = store.session = null;
      },
    },
  );

  const api = {
    track: (kind, fields) => report(TRACKED, kind, kind === 'page' ? { ...fields, again: true } : fields),
    on: (name, fn) => listeners.push([name, guarded(fn)]),
    consent: (given) => consent.say(given, true),
    /** `token`: who the shopper is, as the shop's backend signed it. */
    identify(token) {
      customer = token;
      link.send([IDENTIFY, token]);
    },
    open: (queueId = null) => core.chunk('contact')().then(({ ask }) => ask(queueId)),
    destroy() {
      silence();
      queue.add = silence;
      link.pause();
      ui.tell('leave');
    },
    session: () => session,
    push: (call) => api[call[0]](...call.slice(1)),
  };

  /** What the chunks may use. */
  const core = {
    ...api,
    address,
    /** A function that fetches a chunk and gives what it offers. */
    chunk: (name) => () => load(address.origin, name).then((module) => module.mount(core)),
    event,
    /** How an adapter reports what the shop says: `report(rank)(kind, fields)`. */
    report: (rank) => (kind, fields) => report(rank, kind, fields),
    /** What somebody else than the shop says of consent. */
    consented: consent.say,
    connect,
    rest: link.pause,
    guarded,
    language,
    listen,
    emit,
    send: link.send,
    get: store.get,
    set: store.set,
    add: (packed) => may() && add(packed),
    /** Milliseconds since the epoch by the service's clock. */
    now: () => now() + skew,
  };
  const watch = guarded(core.chunk('behaviour'));
  const ui = createUi(core.chunk('widget'), core);
  const page = followPage(window, event, () => performance.now());

  const open = {};
  // Each call has a guard of its own: a fault in one says nothing about the next.
  for (const name of Object.keys(api)) open[name] = (...args) => guarded(api[name])(...args);
  const calls = Array.isArray(early) ? early : [];
  if (!early || early === calls) window.router = open; // else the name is somebody else's

  function begin() {
    if (/^#router=/.test(location.hash)) return core.chunk('preview')(); // nothing else happens on such a page
    if (may()) start();
    else core.chunk('consent')();
    page.view();
    guarded(core.chunk('ga4'))();
    calls.forEach((call) => open.push(call));
  }

  listen(window, 'online', () => {
    if (!running) return;
    link.open();
    event(...page.state()[1]); // what is owed an ack shows whether a socket from before still lives
  });
  listen(document, 'visibilitychange', () => document.visibilityState === 'hidden' && farewell());
  listen(window, 'pagehide', () => {
    page.hide();
    farewell();
    link.pause();
  });
  listen(window, 'pageshow', ({ persisted }) => {
    if (!persisted) return;
    previous = store.get('p');
    queue.page = identify();
    page.view({ again: true });
    if (running) link.open();
  });
  if (document.prerendering) listen(document, 'prerenderingchange', begin);
  else begin();
}

guarded(boot)(document.currentScript || document.querySelector('script[src*="/beacon.js?"]'));
