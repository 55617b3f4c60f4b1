// The left column: what rings, what is mine, who waits, what was left, who is there.

import { html } from "../lib.js";
import { clock, money } from "../format.js";
import { mine, rings, shownRing, typing, unread } from "../store.js";
import { who } from "./card.js";
import { LeftList } from "./left.js";
import { Bar, Countdown, useNow } from "./parts.js";
import { Team, Waiters } from "./room.js";

export function List({ ctx, state }) {
  const ringing = rings(state);
  const own = mine(state);
  return html`
    <nav class="column list" aria-label=${ctx.say("conversations")}>
      ${ringing.length > 0 && html`
        <${Heading} text=${ctx.say("ringing")} n=${ringing.length} loud />
        <ul>${ringing.map((talk) => html`<${Ring} key=${talk.cid} ctx=${ctx} state=${state} talk=${talk} />`)}</ul>
      `}
      <${Heading} text=${ctx.say("mine")} n=${state.capacity ? `${own.length} / ${state.capacity}` : own.length} />
      ${own.length
        ? html`<ul>${own.map((talk) => html`<${Own} key=${talk.cid} ctx=${ctx} state=${state} talk=${talk} />`)}</ul>`
        : !ringing.length && html`<p class="empty narrow-only">${ctx.say(state.presence === "available" ? "empty_available" : "empty_away")}</p>`}
      <${Waiting} ctx=${ctx} state=${state} />
      <${LeftList} ctx=${ctx} state=${state} />
      <${Team} ctx=${ctx} state=${state} />
    </nav>
  `;
}

const Heading = ({ text, n, loud }) => html`<h2 class=${loud ? "loud" : ""}>${text} <span class="count">${n}</span></h2>`;

function Ring({ ctx, state, talk }) {
  const { card } = talk.data;
  return html`
    <li class="item ringing ${talk === shownRing(state) ? "shown" : ""}">
      <div class="item-line"><strong>${who(ctx, card)}</strong>
        ${talk.deadline && html`<${Countdown} deadline=${talk.deadline} skew=${state.skew} words=${(text, n) => ctx.say("seconds_left", { n })} />`}</div>
      <div class="item-line dim"><span>${ctx.queueName(talk.data.queue)}</span>
        <span>${money(ctx.language, card?.cart?.value, card?.cart?.currency)}</span></div>
      ${talk.deadline && html`<${Bar} deadline=${talk.deadline} skew=${state.skew} whole_ms=${talk.ring_ms} />`}
      <div class="actions">
        <button class="primary small" onClick=${() => ctx.desk.accept(talk.cid)}>${ctx.say("accept")}</button>
        <button class="small" onClick=${() => ctx.dispatch("show_ring", { cid: talk.cid })}>${ctx.say("see_ring")}</button>
      </div>
    </li>
  `;
}

function Own({ ctx, state, talk }) {
  const { cid, data, lines, pending } = talk;
  const open = cid === state.selected;
  const last = pending.at(-1) ?? lines.findLast((line) => line.author !== "system");
  const fresh = unread(talk);
  const typed = typing(talk, useNow());
  return html`
    <li>
      <button class="item own" aria-current=${open ? "true" : null} onClick=${() => ctx.dispatch("select", { cid })}>
        <span class="item-line"><strong>${who(ctx, data.card)}</strong>
          <span class="dim digits">${last ? clock(ctx.language, last.at_ms) : ""}</span></span>
        <span class="item-line dim">
          <span class="preview">${typed ? ctx.say("typing") : last ? last.text : ctx.say("no_lines")}</span>
          ${fresh > 0 && html`<span class="badge" aria-label=${ctx.say("unread", { n: fresh })}>${fresh}</span>`}
        </span>
        <span class="item-line dim"><span>${ctx.queueName(data.queue)}</span><${Mark} ctx=${ctx} state=${state} talk=${talk} /></span>
      </button>
    </li>
  `;
}

/** The state where it is not simply "talking". */
function Mark({ ctx, state, talk: { data, deadline } }) {
  const text = ctx.say(data.state === "active" && data.shopper_present === false ? "state_away" : `state_${data.state}`);
  if (!text) return null;
  if (data.state !== "wrap-up" || !deadline) return html`<span class="mark">${text}</span>`;
  return html`<span class="mark">${text} <${Countdown} deadline=${deadline} skew=${state.skew} words=${(left) => left} /></span>`;
}

function Waiting({ ctx, state }) {
  const queues = Object.keys(state.me.site.queues).filter((id) => state.me.agent.queues?.includes(id) ?? true);
  return html`
    <${Heading} text=${ctx.say("waiting")} n=${state.waiting ? queues.reduce((sum, id) => sum + (state.waiting[id] ?? 0), 0) : "–"} />
    <${Waiters} ctx=${ctx} state=${state} />
    <dl class="waiting">${queues.map((id) => html`
      <div key=${id}><dt>${ctx.queueName(id)}</dt><dd class="digits">${state.waiting ? (state.waiting[id] ?? 0) : "–"}</dd></div>
    `)}</dl>
  `;
}

