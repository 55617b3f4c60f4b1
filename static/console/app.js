// Starts the console: one store, one desk, one tree of views.

import { createBell } from "./bell.js";
import { Desk } from "./desk.js";
import { set, setting } from "./keep.js";
import { wanted } from "./keys.js";
import { html, render } from "./lib.js";
import { settings } from "./settings.js";
import { calls, createStore } from "./store.js";
import { LANGUAGES, pick, say, sayError } from "./texts.js";
import { who } from "./views/card.js";
import { Console } from "./views/console.js";
import { Login } from "./views/login.js";

const store = createStore();
const desk = new Desk(store);
let language = firstLanguage();
let asked = false;

function firstLanguage() {
  const kept = setting("language");
  return LANGUAGES.includes(kept) ? kept : navigator.language.startsWith("ja") ? "ja" : "en";
}

/** What every view gets: words, names and what can be done. */
function context(state) {
  const queue = (id) => state.me?.site.queues[id];
  return {
    language,
    desk,
    currency: state.me?.site.currency,
    admin: state.me?.site.admin,
    picture: state.me?.site.picture,
    dispatch: (t, fields) => desk.dispatch(t, fields),
    say: (key, values) => say(language, key, values),
    sayError: (name) => sayError(language, name),
    queue,
    queueName: (id) => pick(language, queue(id)?.name) ?? id,
    switchLanguage() {
      language = language === "en" ? "ja" : "en";
      set("language", language);
      show();
    },
  };
}

function show() {
  asked = false;
  const state = store.get();
  const ctx = context(state);
  const n = state.phase === "console" ? calls(state) : 0;
  document.documentElement.lang = language;
  document.title = (n ? `(${n}) ` : "") + ctx.say("product_name");
  render(view(ctx, state), document.getElementById("app"));
}

function view(ctx, state) {
  if (state.phase === "console") return html`<${Console} ctx=${ctx} state=${state} />`;
  if (state.phase === "login") return html`<${Login} ctx=${ctx} notice=${state.notice} />`;
  return html`<p class="empty big">${ctx.say("loading")}</p>`;
}

/** One drawing for all that one task changed; not by animation frame, which stands still in a hidden tab. */
store.listen(() => {
  if (!asked) queueMicrotask(show);
  asked = true;
});

document.addEventListener("keydown", (event) => {
  const [what, cid] = wanted(store.get(), event) ?? [];
  if (!what) return;
  event.preventDefault();
  if (what === "accept") desk.accept(cid);
  else if (what === "select") desk.dispatch("select", { cid });
  else desk.dispatch("dialog", { dialog: "keys" });
});

/** A notification says who calls, and nothing of what they wrote. */
function words({ kind, cid }) {
  const { data } = store.get().talks[cid];
  const ctx = context(store.get());
  return [ctx.say(kind === "ring" ? "notify_ring" : "notify_line", { who: who(ctx, data.card) }), ctx.queueName(data.queue)];
}

createBell(store, { settings, words, open: ({ kind, cid }) => desk.dispatch(kind === "ring" ? "show_ring" : "select", { cid }) });

const seen = () => desk.dispatch("visible", { visible: document.visibilityState === "visible" && document.hasFocus() });
document.addEventListener("visibilitychange", seen);
addEventListener("focus", seen);
addEventListener("blur", seen);
addEventListener("online", () => desk.reconnect());

seen();
show();
desk.start();
