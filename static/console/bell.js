// Makes the calls heard and seen outside the page: a sound, a notification, a number on the page's icon.

import { calling, hear, silent } from "./alerts.js";

const LOOK_MS = 1_000;
const NOTES = { ring: [660, 880, 660, 880], line: [880, 660] }; // Hz, one after the other
const NOTE_S = 0.14;
const LOUD = 0.2;

/** The browser's own ways. Nothing here throws where one of them is missing. */
export const browser = {
  now: () => Date.now(),
  every: (callback, ms) => setInterval(callback, ms),
  permission: () => globalThis.Notification?.permission ?? "denied",
  ask: async () => (globalThis.Notification ? Notification.requestPermission() : "denied"),
  notify(title, body, tag) {
    return new Notification(title, { body, tag, icon: "/agent/icon.svg" });
  },
  icon(count) {
    document.querySelector("link[rel=icon]").href = count ? `data:image/svg+xml,${encodeURIComponent(badge(count))}` : "/agent/icon.svg";
  },
  sound: createSound(),
};

function createSound() {
  let audio = null;
  /** A browser lets a page sound once somebody has touched it. */
  const wake = () => audio?.state === "suspended" && audio.resume();
  globalThis.addEventListener?.("pointerdown", wake);
  globalThis.addEventListener?.("keydown", wake);
  return (kind) => {
    audio ??= new AudioContext();
    wake();
    NOTES[kind].forEach((hertz, n) => play(audio, hertz, audio.currentTime + n * NOTE_S));
  };
}

function play(audio, hertz, at) {
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUD, at + 0.02);
  gain.gain.linearRampToValueAtTime(0, at + NOTE_S);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + NOTE_S);
}

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
    ear = next;
    if (sounds && settings().sound) env.sound(calls.some(({ kind }) => kind === "ring") ? "ring" : "line");
    if (!state.visible && settings().notify && env.permission() === "granted") fresh.forEach(notify);
    clear(state.visible ? [] : calls.map(({ cid }) => cid));
    if (calls.length !== count) env.icon((count = calls.length));
  }

  function notify(call) {
    const notice = env.notify(...words(call), `router ${call.cid}`);
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
