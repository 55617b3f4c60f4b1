// Makes the calls heard and seen outside the page: a sound, a notification, a number on the page's icon.

import { calling, hear, silent } from "./alerts.js";
import { createSound } from "./sound.js";
import { calls as howMany } from "./store.js";

const LOOK_MS = 1_000;
const audio = createSound();

/** The browser's own ways. Nothing here throws where one of them is missing. */
export const browser = {
  now: () => Date.now(),
  every: (callback, ms) => setInterval(callback, ms),
  permission: () => globalThis.Notification?.permission ?? "denied",
  ask: async () => (globalThis.Notification ? Notification.requestPermission() : "denied"),
  notify(title, body, tag) {
    try {
      return new Notification(title, { body, tag, icon: "/agent/icon.svg" });
    } catch {
      return null; // phones know notifications only from a service worker
    }
  },
  icon(count) {
    document.querySelector("link[rel=icon]").href = count ? `data:image/svg+xml,${encodeURIComponent(badge(count))}` : "/agent/icon.svg";
  },
  sound: audio.play,
  hush: audio.hush,
};

const badge = (count) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2a5bd7"/>
<circle cx="20" cy="12" r="12" fill="#b42318"/><text x="20" y="17.5" font-family="sans-serif" font-size="16" font-weight="700" text-anchor="middle" fill="#fff">${count > 9 ? "9+" : count}</text></svg>`;

/** `settings()` = {sound, notify}; `words(call)` gives a notification's [title, body]; `open(call)` shows what calls. */
export function createBell(store, { settings, words, open, env = browser }) {
  let ear = silent;
  let shown = new Map(); // cid -> notification
  let count = 0;

  function look() {
    const state = store.get();
    const calls = calling(state);
    const { fresh, sounds, ...next } = hear(ear, calls, env.now());
    if (ear.heard.length && !calls.length) env.hush();
    ear = next;
    if (sounds && settings().sound) env.sound(calls.some(({ kind }) => kind === "ring") ? "ring" : "line");
    if (!state.visible && settings().notify && env.permission() === "granted") fresh.forEach(notify);
    clear(state.visible ? [] : calls.map(({ cid }) => cid));
    const n = calls.length && howMany(state);
    if (n !== count) env.icon((count = n));
  }

  function notify(call) {
    const notice = env.notify(...words(call), `router ${call.cid}`);
    if (!notice) return;
    shown.set(call.cid, notice);
    notice.onclick = () => {
      globalThis.focus?.();
      open(call);
    };
  }

  /** What does not call any more, or is looked at, needs no notification. */
  function clear(calls) {
    for (const [cid, notice] of shown) if (!calls.includes(cid)) notice.close();
    shown = new Map([...shown].filter(([cid]) => calls.includes(cid)));
  }

  store.listen(look);
  env.every(look, LOOK_MS);
}
