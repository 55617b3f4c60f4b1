import assert from "node:assert/strict";
import { test } from "node:test";

import { calling, hear, REPEAT_MS, silent } from "../alerts.js";
import { createBell } from "../bell.js";
import { neighbour, wanted } from "../keys.js";
import { sends } from "../settings.js";
import { createSound } from "../sound.js";
import { createStore, initial } from "../store.js";

const line = (offset) => ({ offset, author: "shopper", text: "hi", at_ms: offset });
const talk = (cid, state, lines = [], read = 0) => ({ cid, data: { state, opened_ms: 1, card: null }, lines, read, deadline: null });
const world = (...talks) => ({ ...initial, phase: "console", talks: Object.fromEntries(talks.map((one) => [one.cid, one])) });
const key = (name, more = {}) => ({ key: name, target: { matches: () => false }, ...more });

test("rings and talks with unread lines call; each new line is a new call", () => {
  const ids = (state) => calling(state).map(({ id }) => id);
  assert.deepEqual(ids(world(talk("a", "ringing"), talk("b", "active", [line(1), line(2)], 1), talk("c", "active", [line(1)], 1))), ["ring a", "line b 2"]);
  assert.deepEqual(ids(world(talk("b", "active", [line(1), line(2), line(3)], 1))), ["line b 3"]);
  assert.deepEqual(ids({ ...world(talk("a", "ringing")), phase: "login" }), []);
});

test("what is new sounds at once, what stays each 30 s, and silence follows when nothing calls", () => {
  const call = [{ id: "ring a", kind: "ring", cid: "a" }];
  let ear = hear(silent, call, 1_000_000);
  assert.ok(ear.sounds);
  ear = hear(ear, call, 1_000_000 + REPEAT_MS - 1);
  assert.ok(!ear.sounds);
  ear = hear(ear, call, 1_000_000 + REPEAT_MS);
  assert.ok(ear.sounds);
  ear = hear(ear, [], 1_000_000 + 2 * REPEAT_MS);
  assert.ok(!ear.sounds && !ear.heard.length);
});

function bell(chosen, more = {}) {
  const did = { sounds: [], notes: [], icons: [], hushed: 0 };
  let tick;
  let now = 1_000_000;
  const env = {
    now: () => now,
    every: (callback) => { tick = callback; },
    permission: () => "granted",
    notify: (title, body) => did.notes[did.notes.push({ title, body, closed: 0, close() { this.closed++; } }) - 1],
    icon: (count) => did.icons.push(count),
    sound: (kind) => did.sounds.push(kind),
    hush: () => did.hushed++,
    ...more,
  };
  const store = createStore(world());
  const opened = [];
  createBell(store, { settings: () => chosen, words: ({ cid }) => [cid, "queue"], open: ({ cid }) => opened.push(cid), env });
  return { did, store, opened, pass: (ms) => { now += ms; tick(); } };
}

const ring = (cid) => ({ t: "ring", conversation: { cid, opened_ms: 1, agent: "me", card: null }, deadline_ms: 9e12, at: 1 });

test("a ring sounds, shows a number, and a notification only while the page is not in front", () => {
  const { did, store, opened, pass } = bell({ sound: true, notify: true });
  store.dispatch(ring("a"));
  assert.deepEqual([did.sounds, did.notes.length, did.icons], [["ring"], 0, [1]]);
  store.dispatch({ t: "visible", visible: false });
  store.dispatch(ring("b"));
  assert.deepEqual(did.notes.map(({ title }) => title), ["b"]);
  did.notes[0].onclick();
  assert.deepEqual(opened, ["b"]);
  pass(REPEAT_MS);
  assert.equal(did.sounds.length, 3);
  store.dispatch({ t: "ring_over", cid: "b", reason: "missed" });
  assert.ok(did.notes[0].closed);
  store.dispatch({ t: "ring_over", cid: "a", reason: "missed" });
  assert.deepEqual([did.icons.at(-1), did.hushed], [0, 1]);
  pass(REPEAT_MS);
  assert.equal(did.sounds.length, 3);
});

test("the number on the icon counts lines, as the title does", () => {
  const { did, store } = bell({ sound: false, notify: false });
  store.dispatch({ t: "visible", visible: false });
  const conversation = { cid: "a", agent: "me", state: "active", opened_ms: 1, card: null, offset: 0 };
  store.dispatch({ t: "hello", presence: "available", capacity: 3, conversations: [conversation], now_ms: 1, at: 1 });
  for (const offset of [1, 2, 3]) store.dispatch({ t: "message", cid: "a", message: line(offset) });
  assert.deepEqual(did.icons, [1, 2, 3]);
});

test("a browser that makes no notification stops nothing else", () => {
  const { did, store } = bell({ sound: true, notify: true }, { notify: () => null });
  store.dispatch({ t: "visible", visible: false });
  store.dispatch(ring("a"));
  store.dispatch({ t: "ring_over", cid: "a", reason: "missed" });
  assert.deepEqual([did.sounds, did.icons], [["ring"], [1, 0]]);
});

/** A page whose audio is `state` until somebody touches it; `tones` are those that were started, with their stops. */
function audible(state) {
  const tones = [];
  const waiting = [];
  const context = {
    state,
    currentTime: 0,
    resume: () => (context.state === "running" ? Promise.resolve() : new Promise((done) => waiting.push(done))),
    createOscillator: () => ({ frequency: {}, stops: [], connect: (to) => to, start() { tones.push(this); }, stop(at) { this.stops.push(at); } }),
    createGain: () => ({ gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (to) => to }),
  };
  const touch = () => { context.state = "running"; waiting.forEach((done) => done()); return new Promise(setImmediate); };
  return { tones, touch, page: { AudioContext: function () { return context; }, addEventListener() {} } };
}

test("what could not sound before the first touch sounds once at it, and not if it was hushed", async () => {
  for (const hushed of [false, true]) {
    const { tones, touch, page } = audible("suspended");
    const sound = createSound(page);
    sound.play("ring");
    sound.play("ring");
    assert.equal(tones.length, 0);
    if (hushed) sound.hush();
    await touch();
    assert.equal(tones.length, hushed ? 0 : 4);
  }
});

test("hush ends a sound that is under way; without audio nothing happens", () => {
  const { tones, page } = audible("running");
  const sound = createSound(page);
  sound.play("line");
  sound.hush();
  assert.deepEqual(tones.map(({ stops }) => stops.length), [2, 2]);
  createSound({}).play("ring");
});

test("nothing is heard or shown that was not asked for", () => {
  const { did, store } = bell({ sound: false, notify: false });
  store.dispatch({ t: "visible", visible: false });
  store.dispatch(ring("a"));
  assert.deepEqual([did.sounds, did.notes], [[], []]);
});

test("Enter sends or breaks the line by the agent's choice, and never while an input method composes", () => {
  assert.ok(sends(key("Enter"), "enter"));
  assert.ok(!sends(key("Enter", { shiftKey: true }), "enter"));
  assert.ok(!sends(key("Enter"), "ctrl"));
  assert.ok(sends(key("Enter", { ctrlKey: true }), "ctrl") && sends(key("Enter", { metaKey: true }), "ctrl"));
  assert.ok(!sends(key("Enter", { isComposing: true }), "enter") && !sends(key("Enter", { keyCode: 229, ctrlKey: true }), "ctrl"));
  assert.ok(!sends(key("a"), "enter"));
});

test("keys accept, tell, and go from talk to talk; in a field only the last", () => {
  const state = { ...world(talk("r", "ringing"), talk("a", "active"), talk("b", "active"), talk("c", "active")), selected: "a" };
  const field = { target: { matches: () => true } };
  assert.deepEqual(wanted(state, key("A")), ["accept", "r"]);
  assert.deepEqual(wanted(state, key("?")), ["keys", null]);
  assert.equal(wanted(state, key("a", field)), null);
  assert.deepEqual(wanted(state, key("ArrowDown", { altKey: true, ...field })), ["select", "b"]);
  assert.deepEqual(wanted(state, key("ArrowUp", { altKey: true })), ["select", "c"]);
  assert.equal(wanted({ ...state, dialog: "close" }, key("a")), null);
  assert.equal(wanted(state, key("a", { isComposing: true })), null);
  assert.equal(neighbour(world(), 1), null);
  assert.equal(neighbour({ ...state, selected: null }, 1), "a");
});
