import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, matching, words } from "../replies.js";

const REPLIES = [
  { id: "gift", ja: "包装は無料です", en: "Wrapping is free" },
  { id: "shipping", ja: "送料は660円です", en: "Delivery is 660 yen" },
  { id: "ship-abroad", ja: "海外発送", en: "We ship abroad, with free advice" },
];
const ids = (draft) => matching(REPLIES, asked(draft)).map(({ id }) => id);

test("a slash at the beginning asks, also a full-width one, and nothing else does", () => {
  assert.deepEqual(["/", "／", "/Gift ", "a/b", "/gift\nmore", ""].map(asked), ["", "", "gift", null, null, null]);
});

test("all are offered at first, then those whose name or text has what was typed", () => {
  assert.equal(ids("/").length, 3);
  assert.deepEqual(ids("/ship"), ["shipping", "ship-abroad"]);
  assert.deepEqual(ids("／送料"), ["shipping"]);
  assert.deepEqual(ids("/free"), ["gift", "ship-abroad"]);
  assert.deepEqual(ids("/nothing"), []);
  assert.deepEqual(ids("no slash"), []);
});

test("a reply comes in the shopper's language", () => {
  assert.equal(words(REPLIES[0], "ja-JP"), "包装は無料です");
  assert.equal(words(REPLIES[0], "en"), "Wrapping is free");
  assert.equal(words(REPLIES[0], "de"), "Wrapping is free");
  assert.equal(words(REPLIES[0], null), "包装は無料です");
});
