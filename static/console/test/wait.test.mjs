import assert from "node:assert/strict";
import { test } from "node:test";

import { promptness, urgency } from "../wait.js";

test("a wait is soon late from half of the promise on, and late at its end", () => {
  assert.deepEqual([9_999, 10_000, 19_999, 20_000].map((ms) => promptness(ms, 20)), ["fine", "soon", "soon", "late"]);
  assert.equal(promptness(1e9, undefined), "fine");
});

test("a message is soon late within its last hour, and late at its due moment", () => {
  const hour = 3_600_000;
  assert.deepEqual([hour - 1, hour, 2 * hour - 1, 2 * hour].map((now) => urgency(2 * hour, now)), ["fine", "soon", "soon", "late"]);
});
