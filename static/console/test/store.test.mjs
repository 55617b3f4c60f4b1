// The reducer: what the console knows after each message.

import assert from "node:assert/strict";
import test from "node:test";

import { calls, initial, lastOffset, mine, missing, reduce, rings, selected, shownRing, toSend, typing, unread } from "../store.js";

const ME = { agent: { login: "hana" }, site: { id: "demo", queues: {} }, csrf: "c" };
const talk = (cid, more = {}) => ({
  cid, queue: "help", state: "active", agent: "hana", opened_ms: 1000, offset: 0, card: { language: "ja", opening: { ja: "はい", en: "Hello" } },
  shopper_present: true, note: null, disposition: null, ...more,
});
const line = (offset, more = {}) => ({ offset, author: "shopper", mid: `m${offset}`, text: `line ${offset}`, at_ms: 1000 + offset, name: null, ...more });
const run = (...actions) => actions.reduce(reduce, reduce(initial, { t: "logged_in", me: ME }));
const hello = (conversations = [], more = {}) => ({ t: "hello", presence: "available", capacity: 2, conversations, now_ms: 5000, at: 4000, ...more });
const ring = (cid, deadline_ms = 25_000) => ({ t: "ring", conversation: talk(cid, { state: "ringing" }), deadline_ms, at: 4000 });
const offsets = (state, cid) => state.talks[cid].lines.map((each) => each.offset);

test("hello replaces what was shown, and sets the clocks' difference", () => {
  const state = run(hello([talk("a")]), hello([talk("b")]));
  assert.deepEqual(Object.keys(state.talks), ["b"]);
  assert.equal(state.skew, 1000);
  assert.equal(state.presence, "available");
});

test("presence in hello may carry its reason", () => {
  const state = run(hello([], { presence: "away", reason: "missed_rings" }));
  assert.deepEqual([state.presence, state.reason], ["away", "missed_rings"]);
});

test("a talk that hello no longer holds is no longer open, and this is said", () => {
  const state = run(hello([talk("a")]), { t: "select", cid: "a" }, hello([]));
  assert.equal(state.selected, null);
  assert.equal(state.notice.key, "talk_gone");
});

test("lines stand in order of offset, each once, however often and in whatever order they come", () => {
  const messages = [3, 1, 2, 2, 3, 1].map((offset) => ({ t: "message", cid: "a", message: line(offset) }));
  assert.deepEqual(offsets(run(hello([talk("a")]), ...messages), "a"), [1, 2, 3]);
});

test("an own line is pending until its stored copy comes, and never stands twice", () => {
  const said = run(hello([talk("a")]), { t: "say", cid: "a", mid: "x1", text: "hi", at_ms: 1 });
  assert.equal(toSend(said.talks.a).mid, "x1");
  const stored = reduce(said, { t: "stored", cid: "a", mid: "x1", offset: 1 });
  assert.equal(toSend(stored.talks.a), null);
  assert.equal(stored.talks.a.pending.length, 1);
  assert.equal(missing(stored.talks.a), 0, "the stored copy is asked for if it does not come by itself");
  const shown = reduce(stored, { t: "message", cid: "a", message: line(1, { author: "agent", mid: "x1" }) });
  assert.equal(shown.talks.a.pending.length, 0);
  assert.deepEqual(offsets(shown, "a"), [1]);
});

test("the stored copy may come before the answer", () => {
  const state = run(
    hello([talk("a")]),
    { t: "say", cid: "a", mid: "x1", text: "hi", at_ms: 1 },
    { t: "message", cid: "a", message: line(1, { author: "agent", mid: "x1" }) },
    { t: "stored", cid: "a", mid: "x1", offset: 1 },
  );
  assert.equal(state.talks.a.pending.length, 0);
  assert.equal(missing(state.talks.a), null);
});

test("pending lines survive a new hello, with the same mid", () => {
  const state = run(hello([talk("a")]), { t: "say", cid: "a", mid: "x1", text: "hi", at_ms: 1 }, hello([talk("a")]));
  assert.equal(toSend(state.talks.a).mid, "x1");
});

test("what the tab remembered comes back after a reload", () => {
  const kept = { a: { draft: "half a", pending: [{ mid: "x1", text: "hi", status: "sending" }], read: 1 } };
  const state = run(hello([talk("a", { offset: 2, messages: [line(1), line(2)] })], { kept }));
  assert.equal(state.talks.a.draft, "half a");
  assert.equal(toSend(state.talks.a).mid, "x1");
  assert.equal(unread(state.talks.a), 1);
});

test("a refused line is not sent by itself again, and can be sent again or thrown away", () => {
  const refused = run(hello([talk("a")]), { t: "say", cid: "a", mid: "x1", text: "hi", at_ms: 1 }, { t: "refused", cid: "a", mid: "x1", error: "full" });
  assert.equal(toSend(refused.talks.a), null);
  assert.equal(toSend(reduce(refused, { t: "again", cid: "a", mid: "x1" }).talks.a).mid, "x1");
  assert.equal(reduce(refused, { t: "discard", cid: "a", mid: "x1" }).talks.a.pending.length, 0);
});

test("missing lines are asked for from the last known offset before the hole", () => {
  const from = (offset, ...known) => missing(run(hello([talk("a", { offset, messages: known.map((n) => line(n)) })])).talks.a);
  assert.equal(from(0), null);
  assert.equal(from(3), 0);
  assert.equal(from(3, 1, 2), 2);
  assert.equal(from(3, 1, 3), 1);
  assert.equal(from(3, 1, 2, 3), null);
});

test("what history does not hold is gone: said as a gap, and not asked for again", () => {
  const before = run(hello([talk("a", { offset: 6, messages: [line(1)] })]));
  const after = reduce(before, { t: "history", cid: "a", after: 1, messages: [line(4), line(6)], upto: 6 });
  assert.deepEqual(after.talks.a.gaps, [[2, 3], [5, 5]]);
  assert.equal(missing(after.talks.a), null);
});

test("an empty history means that all up to the known end is gone", () => {
  const before = run(hello([talk("a", { offset: 3 })]));
  const after = reduce(before, { t: "history", cid: "a", after: 0, messages: [], upto: lastOffset(before.talks.a) });
  assert.deepEqual(after.talks.a.gaps, [[1, 3]]);
  assert.equal(missing(after.talks.a), null);
});

test("a ring opens nothing, selects nothing and moves no caret", () => {
  const before = run(hello([talk("a")]), { t: "select", cid: "a" });
  const after = reduce(before, ring("b"));
  assert.equal(after.selected, "a");
  assert.equal(after.caret, before.caret);
  assert.equal(after.talks.b.ring_ms, 20_000);
  assert.deepEqual(rings(after).map((each) => each.cid), ["b"]);
});

test("the most urgent ring is shown, or the one the agent chose", () => {
  const state = run(hello(), ring("late", 30_000), ring("soon", 20_000));
  assert.equal(shownRing(state).cid, "soon");
  assert.equal(shownRing(reduce(state, { t: "show_ring", cid: "late" })).cid, "late");
});

test("a ring that is over is gone, and a missed one is said", () => {
  const state = run(hello(), ring("b"), { t: "ring_over", cid: "b", reason: "missed" });
  assert.deepEqual(state.talks, {});
  assert.equal(state.notice.key, "ring_missed");
});

test("the end of a ring that was accepted leaves the talk, also if it comes after the talk began", () => {
  const state = run(hello(), ring("b"), { t: "accepted", cid: "b", conversation: talk("b") }, { t: "ring_over", cid: "b", reason: "missed" });
  assert.equal(state.talks.b.data.state, "active");
});

test("accepting opens the talk, asks for the caret and suggests the first line in the shopper's language", () => {
  const state = run(hello(), ring("b"), { t: "accepted", cid: "b", conversation: talk("b") });
  assert.equal(selected(state).cid, "b");
  assert.equal(state.caret, 1);
  assert.deepEqual([state.talks.b.draft, state.talks.b.suggested], ["はい", true]);
});

test("without an opening line the reply box is empty, and a kept draft is not written over", () => {
  const bare = talk("b", { card: null });
  assert.equal(run(hello(), { t: "accepted", cid: "b", conversation: bare }).talks.b.draft, "");
  const kept = { b: { draft: "mine", pending: [], read: 0 } };
  const state = run(hello([talk("b", { state: "ringing" })], { kept }), { t: "accepted", cid: "b", conversation: talk("b") });
  assert.equal(state.talks.b.draft, "mine");
});

test("unread are the shopper's lines that did not stand before the agent's eyes", () => {
  const arrive = (cid, offset, author = "shopper") => ({ t: "message", cid, message: line(offset, { author }) });
  let state = run(hello([talk("a"), talk("b")]), { t: "select", cid: "a" }, arrive("a", 1), arrive("b", 1), arrive("b", 2, "agent"), arrive("b", 3));
  assert.deepEqual([unread(state.talks.a), unread(state.talks.b), calls(state)], [0, 2, 2]);
  state = reduce(reduce(state, { t: "visible", visible: false }), arrive("a", 2));
  assert.equal(unread(state.talks.a), 1);
  state = reduce(reduce(state, { t: "visible", visible: true }), { t: "select", cid: "b" });
  assert.equal(calls(state), 0);
});

test("the typing sign ends by itself, with the next line, and with the talk", () => {
  const on = run(hello([talk("a")]), { t: "typing", cid: "a", on: true, at: 10_000 });
  assert.equal(typing(on.talks.a, 15_000), true);
  assert.equal(typing(on.talks.a, 17_000), false);
  assert.equal(typing(reduce(on, { t: "message", cid: "a", message: line(1) }).talks.a, 15_000), false);
  assert.equal(typing(reduce(on, { t: "conversation", conversation: talk("a", { state: "wrap-up" }) }).talks.a, 15_000), false);
});

test("a note that is being written is not written over by what the service says", () => {
  const state = run(hello([talk("a", { note: "old" })]), { t: "note", cid: "a", text: "new" }, { t: "conversation", conversation: talk("a", { note: "old" }) });
  assert.equal(state.talks.a.note.text, "new");
  assert.equal(reduce(state, { t: "note_kept", cid: "a", text: "ne" }).talks.a.note.status, "changed");
  assert.equal(reduce(state, { t: "note_kept", cid: "a", text: "new" }).talks.a.note.status, "kept");
});

test("a closed talk stays while it is open and leaves with the next one", () => {
  const state = run(hello([talk("a"), talk("b")]), { t: "select", cid: "a" }, { t: "conversation", conversation: talk("a", { state: "closed" }) });
  assert.equal(mine(state).length, 2);
  assert.deepEqual(Object.keys(reduce(state, { t: "select", cid: "b" }).talks), ["b"]);
  assert.deepEqual(Object.keys(reduce(state, { t: "conversation", conversation: talk("b", { state: "closed" }) }).talks), ["a"]);
});

test("a talk that went to a colleague or back to the queue is gone, and an open one is said to be", () => {
  const other = (state) => ({ t: "conversation", conversation: talk("a", { state, agent: "ken" }) });
  for (const state of ["ringing", "active", "waiting"]) {
    const after = run(hello([talk("a")]), { t: "select", cid: "a" }, other(state));
    assert.deepEqual(after.talks, {});
    assert.deepEqual([after.selected, after.notice.key], [null, "talk_gone"]);
  }
});

test("messages of unknown kind or about unknown talks change nothing", () => {
  const state = run(hello());
  for (const action of [{ t: "new kind" }, { t: "constructor" }, { t: "message", cid: "x", message: line(1) }, { t: "typing", cid: "x", on: true, at: 1 }]) {
    assert.equal(reduce(state, action), state);
  }
});

test("a closed talk is forgotten when another one is accepted in its place", () => {
  const state = run(hello([talk("a")]), { t: "select", cid: "a" }, { t: "conversation", conversation: talk("a", { state: "closed" }) }, ring("b"), { t: "accepted", cid: "b", conversation: talk("b") });
  assert.deepEqual(Object.keys(state.talks), ["b"]);
});
