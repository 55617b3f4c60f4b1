// The link: when it comes back, and what it owes to those who wait for an answer.

import assert from "node:assert/strict";
import test from "node:test";

import { Link, verdict, wait } from "../socket.js";

/** A link on a clock, chance and sockets of the test's own. */
function rig({ ticket = async () => "t" } = {}) {
  const rig = { now: 0, timers: [], sockets: [], states: [], messages: [] };
  const env = {
    now: () => rig.now,
    random: () => 0.5,
    after(fn, ms) {
      const timer = { at: rig.now + ms, fn };
      rig.timers.push(timer);
      return () => (rig.timers = rig.timers.filter((each) => each !== timer));
    },
  };
  const connect = () => {
    const socket = { sent: [], closed: false, send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.closed = true) };
    rig.sockets.push(socket);
    return socket;
  };
  rig.link = new Link({ ticket, connect, env, onState: (state) => rig.states.push(state), onMessage: (message) => rig.messages.push(message) });
  rig.pass = async (ms) => {
    rig.now += ms;
    for (const timer of rig.timers.filter((each) => each.at <= rig.now)) {
      rig.timers = rig.timers.filter((each) => each !== timer);
      timer.fn();
    }
    await settle();
  };
  rig.say = (message) => rig.sockets.at(-1).onmessage({ data: JSON.stringify(message) });
  rig.open = async () => {
    rig.link.start();
    await settle();
    rig.say({ t: "hello" });
  };
  rig.status = () => rig.states.at(-1).status;
  return rig;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("the close code's range says whether to come back", () => {
  for (const code of [1003, 1009, 4000, 4003, 4099]) assert.equal(verdict(code), "stop");
  for (const code of [0, 1000, 1006, 1011, 4100, 4199, 4300]) assert.equal(verdict(code), "again");
  for (const code of [4200, 4299]) assert.equal(verdict(code), "login");
});

test("full jitter: from nothing up to a bound that doubles from 1 s to 30 s", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((attempt) => wait(attempt, 1)), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(wait(3, 0), 0);
  assert.equal(wait(3, 0.5), 4000);
});

test("it is open only when hello has come", async () => {
  const it = rig();
  it.link.start();
  await settle();
  assert.equal(it.status(), "connecting");
  it.say({ t: "hello" });
  assert.equal(it.status(), "open");
  assert.equal(it.messages[0].t, "hello");
});

test("an answer reaches who asked, by ref; an error rejects with its name", async () => {
  const it = rig();
  await it.open();
  const first = it.link.request("say", { cid: "a" });
  const second = it.link.request("accept", { cid: "b" });
  const [one, two] = it.sockets[0].sent;
  it.say({ t: "error", ref: two.ref, error: "too_late", retry: false });
  it.say({ t: "ok", ref: one.ref, offset: 7 });
  assert.equal((await first).offset, 7);
  await assert.rejects(second, { error: "too_late" });
});

test("a lost connection rejects what was asked, and comes back with growing waits", async () => {
  const it = rig();
  await it.open();
  const asked = it.link.request("say", {});
  it.sockets[0].onclose({ code: 1006 });
  await assert.rejects(asked, { error: "lost" });
  assert.deepEqual(it.states.at(-1), { status: "waiting", until_ms: 500 });
  await it.pass(500);
  assert.equal(it.status(), "connecting");
  it.sockets[1].onclose({ code: 4105 });
  assert.deepEqual(it.states.at(-1), { status: "waiting", until_ms: 1500 });
  assert.equal(it.sockets.length, 2);
});

test("after a connection that lasted, waits begin small again; after one that broke at once they grow on", async () => {
  const it = rig();
  await it.open();
  it.link.attempt = 4;
  await it.pass(4_999);
  it.sockets[0].onclose({ code: 1006 });
  assert.equal(it.states.at(-1).until_ms - it.now, 8_000);
  await it.pass(8_000);
  it.say({ t: "hello" });
  await it.pass(5_000);
  it.sockets[1].onclose({ code: 1006 });
  assert.equal(it.states.at(-1).until_ms - it.now, 500);
});

test("a refusal for good is not tried again, and is said with its code", async () => {
  const it = rig();
  await it.open();
  it.sockets[0].onclose({ code: 4002 });
  assert.deepEqual(it.states.at(-1), { status: "stopped", code: 4002 });
  await it.pass(60_000);
  assert.equal(it.sockets.length, 1);
});

test("a ticket refused with 401 means logging in again; any other failure means later", async () => {
  const out = rig({ ticket: () => Promise.reject({ status: 401 }) });
  out.link.start();
  await settle();
  assert.equal(out.status(), "login");
  const busy = rig({ ticket: () => Promise.reject({ status: 503 }) });
  busy.link.start();
  await settle();
  assert.equal(busy.status(), "waiting");
});

test("an unanswered request ends a dead connection", async () => {
  const it = rig();
  await it.open();
  const asked = it.link.request("say", {});
  await Promise.all([assert.rejects(asked, { error: "lost" }), it.pass(8_000)]);
  assert.equal(it.sockets[0].closed, true);
  assert.equal(it.status(), "waiting");
});

test("an idle link is asked whether it lives, and given up if it does not answer", async () => {
  const it = rig();
  await it.open();
  await it.pass(25_000);
  it.say({ t: "ok", ref: it.sockets[0].sent[0].ref });
  await it.pass(25_000);
  assert.deepEqual(it.sockets[0].sent.map((frame) => frame.t), ["ping", "ping"]);
  assert.equal(it.status(), "open");
  await it.pass(8_000);
  assert.equal(it.status(), "waiting");
  await it.pass(25_000);
  assert.equal(it.sockets[0].sent.length, 2);
});

test("a socket that never says hello is given up", async () => {
  const it = rig();
  it.link.start();
  await settle();
  await it.pass(10_000);
  assert.equal(it.status(), "waiting");
});

test("what an old socket still says is not heard", async () => {
  const it = rig();
  await it.open();
  const old = it.sockets[0].onmessage;
  it.sockets[0].onclose({ code: 1006 });
  await it.pass(500);
  old({ data: JSON.stringify({ t: "message" }) });
  assert.deepEqual(it.messages.map((message) => message.t), ["hello"]);
});

test("stopped: nothing comes back", async () => {
  const it = rig();
  await it.open();
  it.link.stop();
  await it.pass(60_000);
  assert.equal(it.sockets.length, 1);
  assert.equal(it.sockets[0].closed, true);
  await assert.rejects(it.link.request("say", {}), { error: "lost" });
});
