// Who is here, and why each rule is true or not for them.

import { html } from "/agent/lib.js";
import { obstacle } from "./texts.js";

export function Sessions({ ctx, state }) {
  if (state.explained) return html`<${Explained} ctx=${ctx} state=${state} />`;
  const { live } = state.overview;
  if (!live.length) return html`<p class="panel empty">${ctx.say("no_sessions")}</p>`;
  return html`
    <section class="panel"><table class="sessions">
      <thead><tr><th>${ctx.say("page")}</th><th class="num">${ctx.say("cart")}</th><th class="num">${ctx.say("events")}</th><th></th></tr></thead>
      <tbody>${live.map((one) => html`
        <tr><th scope="row" class="break">${one.page || html`<span class="unknown">${ctx.say("unknown")}</span>`} <span class="dim small-text">${one.visitor}${one.talking && ` · ${ctx.say("talking")}`}</span></th>
          <td class="num">${one.cart === null ? "–" : ctx.number(one.cart)}</td><td class="num">${ctx.number(one.events)}</td>
          <td class="num"><button class="small" onClick=${() => explain(ctx, one.session)}>${ctx.say("why")}</button></td></tr>`)}
      </tbody>
    </table></section>`;
}

async function explain(ctx, session) {
  const answer = await ctx.change("explain", { session });
  if (answer) ctx.set({ explained: { session, at: Date.now(), rules: answer.rules } });
}

function Explained({ ctx, state }) {
  const { session, at, rules } = state.explained;
  return html`
    <div class="row"><button onClick=${() => ctx.set({ explained: null })}>${ctx.say("back")}</button>
      <button onClick=${() => explain(ctx, session)}>${ctx.say("again")}</button><span class="dim small-text break">${session}</span></div>
    ${rules.map((rule) => html`
      <section class="panel">
        <div class="row"><h2 class="grow">${rule.rule}</h2>
          <span class=${rule.holds ? "good-text" : "dim"}>${rule.holds ? ctx.say("is_true") : ctx.say("not_true")}${rule.true_at && ` · ${ctx.say("true_in", { n: seconds(ctx, rule.true_at - at) })}`}</span></div>
        <ul class="tree"><${Condition} ctx=${ctx} node=${rule.condition} at=${at} /></ul>
        ${rule.caps.length > 0 && html`<h3>${ctx.say("caps")}</h3>
          <ul class="caps">${rule.caps.map((cap) => html`<li class=${cap.spent ? "spent" : "dim"}>${cap.words[ctx.language]}</li>`)}</ul>`}
        ${rule.obstacle && html`<p class="obstacle">${ctx.say("stands", { what: obstacle(ctx.language, rule.obstacle) })}</p>`}
        ${rule.remembered && html`<p class="dim small-text">${ctx.say("remembered")}</p>`}
      </section>`)}`;
}

const JOINS = ["all", "any", "not"];
const MARKS = { true: "✓", false: "✗", unknown: "?" };

function Condition({ ctx, node, at }) {
  const words = node.words[ctx.language] || (JOINS.includes(node.what) && ctx.say(node.what)) || `${node.what}${node.threshold === null ? "" : ` ${node.threshold}`}`;
  return html`
    <li class=${node.holds}><span class="mark" role="img" aria-label=${node.holds}>${MARKS[node.holds]}</span> ${words}
      ${node.turns_at && html` <span class="dim small-text">(${ctx.say("seconds", { n: Math.max(0, Math.ceil((node.turns_at - at) / 1000)) })})</span>`}
      ${node.parts.length > 0 && html`<ul>${node.parts.map((part) => html`<${Condition} ctx=${ctx} node=${part} at=${at} />`)}</ul>`}
    </li>`;
}

const seconds = (ctx, ms) => ctx.say("seconds", { n: Math.max(0, Math.ceil(ms / 1000)) });
