// Figures and rules for supervisors: one small state, one view a tab.

import { html, render } from "/agent/lib.js";
import * as api from "./api.js";
import { LANGUAGES, say, sayError } from "./texts.js";
import { Overview } from "./overview.js";
import { Rules } from "./rules.js";
import { Sessions } from "./sessions.js";

const TABS = { overview: Overview, rules: Rules, sessions: Sessions };
const LOOK_MS = 3000;

const state = { phase: "loading", tab: location.hash.slice(1) in TABS ? location.hash.slice(1) : "overview" };
let language = firstLanguage();

function firstLanguage() {
  try {
    const kept = localStorage.getItem("router_ops_language");
    if (LANGUAGES.includes(kept)) return kept;
  } catch { /* storage is switched off: the browser's language then */ }
  return navigator.language.startsWith("ja") ? "ja" : "en";
}

const ctx = {
  get language() { return language; },
  say: (key, values) => say(language, key, values),
  sayError: (error) => sayError(language, error),
  pick: (name) => (name ? name[language] ?? name.en : ""),
  number: (value) => new Intl.NumberFormat(language).format(value),
  percent: (value) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(value),
  when: (ms) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(ms),
  api,
  /** The page of the shop on which previews are shown, kept in this browser; "": the service chooses. */
  page(address) {
    try {
      if (address !== undefined) localStorage.setItem("router_ops_page", address);
      return localStorage.getItem("router_ops_page") || "";
    } catch {
      return "";
    }
  },
  /** Change the state and draw. */
  set(fields) {
    Object.assign(state, fields);
    draw();
  },
  /** Ask for a change; what is refused is told. */
  async change(name, body) {
    try {
      const answer = await api.change(name, body, state.me.csrf);
      ctx.set({ error: null });
      return answer;
    } catch (error) {
      if (error.status === 401) ctx.set({ phase: "login", error: null });
      else ctx.set({ error });
      return null;
    }
  },
  refresh: () => look(),
};

function draw() {
  document.documentElement.lang = language;
  document.title = state.overview ? `${state.overview.site.name} – Router` : "Router";
  render(view(), document.getElementById("app"));
}

function view() {
  if (state.phase === "loading") return html`<p class="empty big">${ctx.say("loading")}</p>`;
  if (state.phase === "login") return html`<${Login} />`;
  if (state.phase === "forbidden") return html`<p class="empty big">${ctx.say("forbidden")} <button class="quiet" onClick=${leave}>${ctx.say("log_out")}</button></p>`;
  const View = TABS[state.tab];
  return html`
    <div class="ops">
      <header class="top">
        <span class="brand">${state.overview.site.name}</span>
        <nav>${Object.keys(TABS).map((tab) => html`
          <button class=${tab === state.tab ? "tab on" : "tab"} aria-current=${tab === state.tab ? "page" : undefined} onClick=${() => go(tab)}>${ctx.say(tab)}</button>`)}
        </nav>
        <span class="grow"></span>
        <button class="quiet" lang=${language === "en" ? "ja" : "en"} onClick=${switchLanguage}>${ctx.say("other_language")}</button>
        <button class="quiet" onClick=${leave}>${ctx.say("log_out")}</button>
      </header>
      <main>
        ${state.error && html`<div class="fault" role="alert"><p>${ctx.sayError(state.error)}</p>
          <button class="quiet small" aria-label="×" onClick=${() => ctx.set({ error: null })}>×</button></div>`}
        <${View} ctx=${ctx} state=${state} />
      </main>
    </div>`;
}

function go(tab) {
  history.replaceState(null, "", `#${tab}`);
  ctx.set({ tab, explained: null });
}

function switchLanguage() {
  language = language === "en" ? "ja" : "en";
  try {
    localStorage.setItem("router_ops_language", language);
  } catch { /* then until the page is left */ }
  draw();
}

async function leave() {
  if (state.me) await api.logout(state.me.csrf).catch(() => null);
  ctx.set({ phase: "login", me: null, overview: null, rules: null, draft: null });
}

function Login() {
  const submit = async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    try {
      await api.login(fields);
      await start();
    } catch (error) {
      ctx.set({ error });
    }
  };
  const kept = state.demo || {};
  return html`
    <div class="login">
      <form class="login-card" onSubmit=${submit}>
        <span class="brand">Router</span>
        <h1>${ctx.say("login_title")}</h1>
        <p class="dim">${ctx.say("login_hint")}</p>
        <label>${ctx.say("site")}<input name="site" required value=${kept.site} autocomplete="organization" /></label>
        <label>${ctx.say("name")}<input name="login" required value=${kept.supervisor} autocomplete="username" /></label>
        <label>${ctx.say("password")}<input name="password" type="password" required value=${kept.password} autocomplete="current-password" /></label>
        ${state.error && html`<p class="error" role="alert">${ctx.sayError(state.error)}</p>`}
        <button class="primary">${ctx.say("log_in")}</button>
      </form>
      <button class="quiet" lang=${language === "en" ? "ja" : "en"} onClick=${switchLanguage}>${ctx.say("other_language")}</button>
    </div>`;
}

async function look() {
  if (state.phase !== "open") return;
  try {
    const [overview, funnel] = await Promise.all([api.overview(), api.funnel(state.days)]);
    ctx.set({ overview, funnel, error: state.error?.status === 0 ? null : state.error });
  } catch (error) {
    if (error.status === 401) ctx.set({ phase: "login" });
    else ctx.set({ error });
  }
}

async function start() {
  state.days = state.days || 7;
  try {
    state.me = await api.me();
    const [overview, funnel, rules] = await Promise.all([api.overview(), api.funnel(state.days), api.rules()]);
    ctx.set({ phase: "open", overview, funnel, rules, draft: rules, error: null });
  } catch (error) {
    if (error.status === 403) ctx.set({ phase: "forbidden", error: null });
    else if (error.status === 401) ctx.set({ phase: "login", demo: await api.demo().catch(() => null), error: null });
    else ctx.set({ phase: "login", error });
  }
}

setInterval(() => document.visibilityState === "visible" && look(), LOOK_MS);
draw();
start();
