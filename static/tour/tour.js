// The tour: the shop in a phone, the console, and between them what the service makes of it.

import { html, render } from "/agent/lib.js";
import { announced, possessions, STEPS, survived } from "./steps.js";
import { say } from "./texts.js";
import { Middle } from "./views.js";

const POLL_MS = 300;
const SHOP = "/demo/";
const LANGUAGE = { shop: "utsuwa_lang", console: "router.console.language" };

const state = { service: null, away: false, at: 0, kept: {}, moments: {}, language: firstLanguage() };

function firstLanguage() {
  const kept = localStorage.getItem(LANGUAGE.shop);
  const wanted = new URLSearchParams(location.search).get("lang") || kept || navigator.language;
  return wanted.startsWith("ja") ? "ja" : "en";
}

/** All three parts speak one language. */
function speak(language) {
  state.language = language;
  localStorage.setItem(LANGUAGE.shop, language);
  localStorage.setItem(LANGUAGE.console, language);
  document.documentElement.lang = language;
}

async function poll() {
  try {
    const response = await fetch("/demo/api/tour", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(response.status);
    state.service = await response.json();
    state.offset = state.service.now - Date.now();
    state.moments = announced(state.moments, state.service);
    state.away = false;
    notice();
  } catch {
    state.away = true;
  }
  show();
  setTimeout(poll, POLL_MS);
}

/** What the tour itself remembers: how long the service was away, which steps were done. */
function notice() {
  const { service, kept } = state;
  if (kept.killed && !kept.killed.back && survived(kept.killed, service)) {
    kept.killed.back = Date.now() - kept.killed.at;
    kept.killed.after = possessions(service);
  }
  kept.done ??= {};
  const step = STEPS[state.at];
  if (step.done(service, kept)) kept.done[step.id] = true;
}

async function kill() {
  const { node } = state.service;
  state.kept.killed = { node, at: Date.now(), ...possessions(state.service) };
  show();
  await fetch("/demo/api/kill", { method: "POST" }).catch(() => {}); // nobody is left to answer
}

/** As if nobody had been here: another session, another visitor, an empty cart. */
function anew() {
  document.cookie = "router_s=; Path=/; Max-Age=0";
  for (const key of ["router_v", "utsuwa_cart"]) localStorage.removeItem(key);
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("router_")) sessionStorage.removeItem(key);
  Object.assign(state, { at: 0, kept: {}, moments: {} });
  document.getElementById("shop").src = `${SHOP}?${Date.now()}`;
  show();
}

function switchLanguage() {
  speak(state.language === "ja" ? "en" : "ja");
  for (const id of ["shop", "console"]) document.getElementById(id).contentWindow.location.reload();
  show();
}

const ctx = {
  kill,
  anew,
  switchLanguage,
  go(step) {
    state.at = Math.max(0, Math.min(STEPS.length - 1, step));
    show();
  },
  asked() {
    if (STEPS[state.at].id === "why") state.kept.asked = true;
    show();
  },
};

function show() {
  ctx.say = (key, values) => say(state.language, key, values);
  ctx.language = state.language;
  document.title = ctx.say("title");
  render(html`
    <div class="tour">
      <section class="side phone" aria-label=${ctx.say("shop")}>
        <h2>${ctx.say("shop")}</h2>
        <div class="frame"><iframe id="shop" src=${SHOP} title=${ctx.say("shop")}></iframe></div>
      </section>
      <${Middle} ctx=${ctx} state=${state} />
      <section class="side desk" aria-label=${ctx.say("console")}>
        <h2>${ctx.say("console")}</h2>
        <div class="frame"><iframe id="console" src="/agent/" title=${ctx.say("console")} allow="autoplay"></iframe></div>
      </section>
    </div>`, document.getElementById("app"));
}

localStorage.setItem("utsuwa_strip", "true"); // the tour says itself what to try
speak(state.language);
show();
poll();
setInterval(show, 100); // the countdown
