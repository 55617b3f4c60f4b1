// Texts and formats: both languages whole, nothing invented.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import { clock, countdown, languageName, money, span } from "../format.js";
import { both, keys, pick, say, sayError } from "../texts.js";

const places = (text) => (text.match(/\{\w+\}/g) ?? []).toSorted();

test("every text is there in both languages, with the same places to fill", () => {
  for (const key of keys) {
    const [english, japanese, ...more] = both(key);
    assert.ok(english && japanese && !more.length, key);
    assert.deepEqual(places(english), places(japanese), key);
  }
});

test("every text that a view asks for by name exists", () => {
  const folder = new URL("../", import.meta.url);
  const files = [...readdirSync(folder), ...readdirSync(new URL("views/", folder)).map((name) => `views/${name}`)];
  const asked = files
    .filter((name) => name.endsWith(".js"))
    .flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/\bsay\("(\w+)"/g)].map((match) => match[1]));
  assert.ok(asked.length > 60);
  assert.deepEqual(asked.filter((key) => !keys.includes(key)), []);
});

test("places are filled in, and what is filled in is not looked at again", () => {
  assert.equal(say("en", "system_joined", { name: "{name}" }), "{name} joined");
  assert.equal(say("ja", "unread", { n: 2 }), "未読 2件");
});

test("a key nobody wrote has no words, also one that every object has", () => {
  assert.equal(say("en", "no such key"), null);
  assert.equal(say("en", "constructor"), null);
});

test("an error without a sentence of its own is still said, with its name", () => {
  assert.match(sayError("en", "strange"), /strange/);
  assert.match(sayError("ja", "too_late"), /間に合いません/);
});

test("a text in both languages falls back to the other one", () => {
  assert.equal(pick("ja", { en: "a", ja: "b" }), "b");
  assert.equal(pick("ja", { en: "a" }), "a");
  assert.equal(pick("ja", null), null);
});

test("money carries its currency; unknown stays unknown; a strange currency is written out", () => {
  assert.equal(money("en", 14800, "JPY"), "¥14,800");
  assert.equal(money("en", 12.5, "EUR"), "€12.50");
  assert.equal(money("en", null, "JPY"), null);
  assert.equal(money("en", 5, "<b>"), "5 <b>");
  assert.equal(money("en", 5, null), "5");
});

test("spans and countdowns", () => {
  assert.equal(span("en", 8_999), "8 s");
  assert.equal(span("en", 125_000), "2 min 5 s");
  assert.equal(span("ja", 3_780_000), "1時間3分");
  assert.equal(span("en", -5), "0 s");
  assert.equal(span("en", NaN), null);
  assert.equal(countdown(24_001), "0:25");
  assert.equal(countdown(-1), "0:00");
});

test("moments and languages that are not known stay so", () => {
  assert.equal(clock("en", undefined), null);
  assert.equal(languageName("ja", "en"), "英語");
  assert.equal(languageName("en", null), null);
  assert.equal(languageName("en", "not a code!"), "not a code!");
});
