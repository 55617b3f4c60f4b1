// The middle of the tour: the step, what is known, what comes next, what was decided, and why not.

import { html } from "/agent/lib.js";
import { lateness, nextMoment, STEPS } from "./steps.js";

export function Middle({ ctx, state }) {
  const { service } = state;
  return html`
    <main class="middle">
      <header class="row">
        <h1>${ctx.say("title")}</h1>
        <button class="small" onClick=${ctx.anew}>${ctx.say("anew")}</button>
        <button class="small" onClick=${ctx.switchLanguage} lang=${ctx.language === "ja" ? "en" : "ja"}>${ctx.say("other_language")}</button>
      </header>
      <${Step} ctx=${ctx} state=${state} />
      ${state.away && html`<p class="away" role="status">${ctx.say("away")}</p>`}
      ${service && html`
        <${Facts} ctx=${ctx} service=${service} />
        <${Next} ctx=${ctx} state=${state} />
        <${Decisions} ctx=${ctx} state=${state} />
        <${Rules} ctx=${ctx} state=${state} />`}
    </main>`;
}

function Step({ ctx, state }) {
  const step = STEPS[state.at];
  const done = state.kept.done ?? {};
  const last = state.at === STEPS.length - 1;
  return html`
    <section class=${`panel step ${done[step.id] ? "done" : ""}`}>
      <ol class="dots">${STEPS.map((each, n) => html`
        <li><button class=${`dot ${done[each.id] ? "did" : ""}`} aria-current=${n === state.at ? "step" : null} onClick=${() => ctx.go(n)}
          aria-label=${`${n + 1}. ${ctx.say(`${each.id}_title`)}`}>${done[each.id] ? "✓" : n + 1}</button></li>`)}</ol>
      <h2>${ctx.say(`${step.id}_title`)}</h2>
      <p>${ctx.say(`${step.id}_text`)}</p>
      ${step.id === "kill" && html`<${Kill} ctx=${ctx} state=${state} />`}
      <div class="row" role="status">
        ${done[step.id] && html`<p class="grow good-text">${ctx.say(`${step.id}_done`)}</p>`}
        ${state.at > 0 && html`<button onClick=${() => ctx.go(state.at - 1)}>${ctx.say("back")}</button>`}
        ${!last && html`<button class=${done[step.id] ? "primary" : ""} onClick=${() => ctx.go(state.at + 1)}>${ctx.say("next")}</button>`}
        ${last && done[step.id] && html`<a class="button" href="/ops/" target="_blank" rel="noopener">${ctx.say("to_ops")}</a>`}
      </div>
    </section>`;
}

function Kill({ ctx, state }) {
  const { killed } = state.kept;
  return html`
    <div class="row"><button class="danger" disabled=${state.away || !state.service} onClick=${ctx.kill}>kill -9</button>
      ${killed && !killed.back && html`<span class="dim">${ctx.say("killed")}</span>`}</div>
    ${killed?.back && html`<table class="kept">
      <thead><tr><th></th><th class="num">${ctx.say("before")}</th><th class="num">${ctx.say("after")}</th></tr></thead>
      <tbody>
        <tr><th scope="row">${ctx.say("events")}</th><td class="num">${killed.events}</td><td class="num">${killed.after.events}</td></tr>
        <tr><th scope="row">${ctx.say("lines")}</th><td class="num">${killed.lines}</td><td class="num">${killed.after.lines}</td></tr>
        <tr><th scope="row">${ctx.say("gone_for")}</th><td class="num" colspan="2">${ctx.say("seconds", { n: (killed.back / 1000).toFixed(1) })}</td></tr>
      </tbody></table>`}`;
}

function Facts({ ctx, service }) {
  const { session } = service;
  const facts = session ? [
    ["page", session.page ? session.page.path : "–"],
    ["looked", ctx.say("seconds", { n: Math.floor(session.dwell_ms / 1000) })],
    ["cart", session.cart.quantity ? ctx.say("pieces", { n: session.cart.quantity, value: money(session.cart.value) }) : ctx.say("empty")],
    ["events", session.events],
  ] : [];
  return html`
    <section class="panel"><h2>${ctx.say("facts")}</h2>
      ${!session && html`<p class="dim">${ctx.say("no_session")}</p>`}
      <dl class="facts">
        ${facts.map(([name, value]) => html`<div><dt>${ctx.say(name)}</dt><dd>${value}</dd></div>`)}
        <div><dt>${ctx.say("free")}</dt><dd>${service.free}</dd></div>
        <div><dt>${ctx.say("process")}</dt><dd class="mono">${service.node}</dd></div>
      </dl>
    </section>`;
}

const money = (value) => value === null ? "–" : `¥${Math.round(value).toLocaleString("en-US")}`;

function Next({ ctx, state }) {
  const next = nextMoment(state.service);
  const now = Date.now() + state.offset;
  if (!next || next.at < now) {
    return html`<section class="panel next"><h2>${ctx.say("next_decision")}</h2><p class="dim">${ctx.say("nothing_due")}</p></section>`;
  }
  const left = next.at - now;
  return html`
    <section class="panel next due"><h2>${ctx.say("next_decision")}</h2>
      <p class="left" role="timer">${ctx.say("seconds", { n: (left / 1000).toFixed(1) })}</p>
      <meter min="0" max="10000" value=${Math.max(0, 10000 - left)} aria-hidden="true"></meter>
      <p>${next.rule.sentence[ctx.language]}</p>
    </section>`;
}

function Decisions({ ctx, state }) {
  const { decisions } = state.service;
  return html`
    <section class="panel"><h2>${ctx.say("decisions")}</h2>
      ${!decisions.length && html`<p class="dim">${ctx.say("none_yet")}</p>`}
      <ul class="decisions">${decisions.map((one) => html`
        <li key=${one.at + one.rule}>
          <div class="row"><strong class="grow">${ctx.say(`${one.outcome}_outcome`, { action: ctx.say(`${one.action || "any"}_action`) })}</strong>
            <code>${one.rule}</code></div>
          <${Speed} ctx=${ctx} state=${state} one=${one} />
          ${one.reason && html`<p class="why">${ctx.say(`${one.reason}_obstacle`, {}, one.reason)}</p>`}
          ${one.why.map((why) => html`<p class="why">✓ ${why[ctx.language]}</p>`)}
          ${one.end && html`<p class="dim">${ctx.say(`${one.end}_end`)}</p>`}
        </li>`)}</ul>
    </section>`;
}

function Speed({ ctx, state, one }) {
  const late = lateness(state.moments, one);
  if (one.ms === undefined) return null;
  if (late === null) return html`<p class="speed">${ctx.say("in_all", { n: one.ms })}</p>`;
  return html`<p class="speed">${ctx.say("after_moment", { n: late })} · ${ctx.say("on_its_way", { n: one.ms })}</p>`;
}

function Rules({ ctx, state }) {
  const { rules, now } = state.service;
  if (!rules.length) return null;
  return html`
    <section class="panel"><h2>${ctx.say("why_not")}</h2>
      ${rules.map((rule) => html`
        <details key=${rule.rule} onToggle=${(event) => event.target.open && ctx.asked()}>
          <summary><span class=${rule.holds ? "good-text" : "dim"}>${rule.holds ? "✓" : "✗"}</span> ${rule.sentence[ctx.language]}</summary>
          <ul class="tree"><${Condition} ctx=${ctx} node=${rule.condition} now=${now} /></ul>
          ${rule.remembered && html`<p class="dim">${ctx.say("remembered")}</p>`}
          ${rule.obstacle && html`<p class="obstacle">${ctx.say(`${rule.obstacle}_obstacle`)}</p>`}
        </details>`)}
    </section>`;
}

const MARKS = { true: "✓", false: "✗", unknown: "?" };

function Condition({ ctx, node, now }) {
  const words = node.words[ctx.language] || ctx.say(`${node.what}_join`, {}, node.what);
  return html`
    <li class=${node.holds}><span class="mark" aria-hidden="true">${MARKS[node.holds]}</span> ${words}
      ${node.turns_at && html` <span class="dim">(${ctx.say("seconds", { n: Math.max(0, Math.ceil((node.turns_at - now) / 1000)) })})</span>`}
      ${node.parts.length > 0 && html`<ul>${node.parts.map((part) => html`<${Condition} ctx=${ctx} node=${part} now=${now} />`)}</ul>`}
    </li>`;
}
