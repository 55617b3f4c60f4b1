import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { announced, lateness, nextMoment, possessions, STEPS, survived } from "../steps.js";
import { say, TEXTS } from "../texts.js";

const state = (more = {}) => ({ node: "a", free: 0, session: null, rules: [], decisions: [], ...more });
const rule = (id, true_at, more = {}) => ({ rule: id, true_at, remembered: false, obstacle: "", ...more });
const step = (id) => STEPS.find((each) => each.id === id);

test("no step is done before anything happened", () => {
  for (const each of STEPS) assert.equal(each.done(state(), {}), false, each.id);
});

test("a step is done by what the service says", () => {
  assert.ok(step("duty").done(state({ free: 2 })));
  assert.ok(step("hesitate").done(state({ session: { open: { kind: "invite" } } })));
  assert.ok(!step("hesitate").done(state({ session: { open: { kind: "article" } } })));
  const talk = { joined: true, count: 3, lines: { shopper: 1, agent: 1 } };
  assert.ok(step("talk").done(state({ session: { talk } })));
  assert.ok(!step("talk").done(state({ session: { talk: { ...talk, lines: { shopper: 1 } } } })));
  assert.ok(step("nobody").done(state({ decisions: [{ outcome: "made", action: "article" }] })));
  assert.ok(!step("nobody").done(state({ decisions: [{ outcome: "shadow", action: "article" }] })));
});

test("what was lost is not survived", () => {
  const killed = { node: "a", events: 9, lines: 2 };
  const after = (node, events, count) => state({ node, session: { here: true, events, talk: { count } } });
  assert.deepEqual(possessions(after("a", 9, 2)), { events: 9, lines: 2 });
  assert.ok(survived(killed, after("b", 9, 2)));
  assert.ok(!survived(killed, after("a", 9, 2)), "the same process");
  assert.ok(!survived(killed, after("b", 8, 2)), "an event is missing");
  assert.ok(!survived(killed, after("b", 9, 1)), "a line is missing");
  assert.ok(!survived(killed, state({ node: "b" })), "the session is missing");
  assert.ok(!survived(killed, state({ node: "b", session: { events: 9, talk: { count: 2 } } })), "the page is not back");
});

test("the next moment is the earliest of those that can act", () => {
  const rules = [
    rule("later", 900), rule("soon", 500), rule("was", 100, { remembered: true }),
    rule("stopped", 200, { obstacle: "busy" }), rule("early", 300, { obstacle: "not_before" }), rule("never", null),
  ];
  assert.equal(nextMoment(state({ rules })).at, 300);
  assert.equal(nextMoment(state()), null);
});

test("a decision is set beside the moment that was announced for it", () => {
  const moments = announced({}, state({ rules: [rule("a", 500), rule("b", null)] }));
  assert.deepEqual(announced(moments, state({ rules: [rule("a", null)] })), { a: 500 });
  assert.equal(lateness(moments, { rule: "a", at: 502 }), 2);
  assert.equal(lateness(moments, { rule: "a", at: 499 }), null);
  assert.equal(lateness(moments, { rule: "b", at: 502 }), null);
});

test("every text that is asked for is there in both languages", () => {
  for (const each of STEPS) for (const part of ["title", "text", "done"]) assert.ok(TEXTS[`${each.id}_${part}`], each.id);
  const sources = ["tour.js", "views.js"].map((file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).join("");
  for (const [, key] of sources.matchAll(/ctx\.say\("(\w+)"/g)) assert.ok(TEXTS[key], key);
  for (const [key, both] of Object.entries(TEXTS)) assert.ok(both.length === 2 && both.every((text) => text.length), key);
  assert.equal(say("ja", "seconds", { n: 3 }), "3秒");
  assert.equal(say("en", "unknown_key"), "unknown_key");
});
