// Beside one's own talks: who waits, to be taken, and who is there.

import { html } from "../lib.js";
import { languageName, span } from "../format.js";
import { pick } from "../texts.js";
import { promptness } from "../wait.js";
import { Since } from "./parts.js";

export const supervises = (state) => state.me.agent.role !== "agent";

export function Waiters({ ctx, state }) {
  if (!state.line?.length) return null;
  return html`<ul class="waiters">${state.line.map((one) => html`<${Waiter} key=${one.cid} ctx=${ctx} state=${state} one=${one} />`)}</ul>`;
}

function Waiter({ ctx, state, one }) {
  const level_s = ctx.queue(one.queue)?.service_level_s;
  const who = ctx.say(one.returning ? "returning_shopper" : "new_shopper");
  const why = pick(ctx.language, one.why);
  const may = one.fits || supervises(state);
  return html`
    <li class="item waiter">
      <div class="item-line"><strong>${who}${one.who ? ` ${one.who}` : ""}</strong>
        <${Since} since_ms=${one.since_ms} skew=${state.skew}
          words=${(ms) => html`<span class=${`wait ${promptness(ms, level_s)}`}>${span(ctx.language, Math.max(0, ms))}</span>`} /></div>
      <div class="item-line dim"><span>${ctx.queueName(one.queue)}</span><span>${languageName(ctx.language, one.language)}</span></div>
      ${why && html`<p class="dim small-text clamp">${why}</p>`}
      <div class="actions">
        ${may && html`<button class="small" onClick=${() => ctx.desk.take(one.cid)}>${ctx.say("take")}</button>`}
        ${supervises(state) && html`<button class="small" onClick=${() => ctx.dispatch("dialog", { dialog: { kind: "assign", cid: one.cid } })}>${ctx.say("assign")}</button>`}
        ${!may && html`<span class="dim small-text">${ctx.say("not_for_you")}</span>`}
      </div>
    </li>`;
}

/** In words: what somebody's presence is. */
export function presenceName(ctx, state, { presence, reason, here }) {
  if (!here) return ctx.say("not_here");
  const named = (state.me.site.breaks ?? []).find((one) => one.id === reason);
  return (presence === "break" && pick(ctx.language, named?.name)) || ctx.say(presence);
}

export function Team({ ctx, state }) {
  if (!state.team) return null;
  const here = state.team.filter((one) => one.here);
  return html`
    <details class="team">
      <summary>${ctx.say("team")} <span class="count">${here.length} / ${state.team.length}</span></summary>
      <ul>${[...here, ...state.team.filter((one) => !one.here)].map((one) => html`<${Colleague} key=${one.login} ctx=${ctx} state=${state} one=${one} />`)}</ul>
      ${supervises(state) && html`<button class="quiet small" onClick=${() => ctx.dispatch("dialog", { dialog: "blocks" })}>${ctx.say("blocks")}</button>`}
    </details>`;
}

function Colleague({ ctx, state, one }) {
  const other = one.login !== state.me.agent.login;
  return html`
    <li class=${`colleague ${one.here ? one.presence : "gone"}`}>
      <div class="item-line"><span><i class="dot"></i> ${one.name}</span><span class="dim digits">${one.load} / ${one.capacity}</span></div>
      ${supervises(state) && other && one.talks?.length > 0 && html`
        <button class="quiet small" onClick=${() => ctx.dispatch("dialog", { dialog: { kind: "talks", login: one.login } })}>${ctx.say("talks_of", { n: one.talks.length })}</button>`}
      <div class="item-line dim"><span>${presenceName(ctx, state, one)}</span>
        ${supervises(state) && other && one.here && html`
          <button class="quiet small" onClick=${() => ctx.desk.setPresence(one.login, one.presence === "available" ? "away" : "available")}>
            ${ctx.say(one.presence === "available" ? "set_away" : "set_available")}</button>`}</div>
    </li>`;
}
