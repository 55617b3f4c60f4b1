// Left messages: the worklist in the list, and one of them in the middle, to be answered and done with.

import { html, useState } from "../lib.js";
import { clock, day, languageName } from "../format.js";
import { urgency } from "../wait.js";
import { SaidLines } from "./earlier.js";
import { Status, useNow } from "./parts.js";
import { supervises } from "./room.js";

const OUTCOMES = ["answered", "unreachable", "no_answer_needed", "spam"];

/** Who left it, as far as they said. */
const sender = (ctx, one) => one.name || one.contact || ctx.say("left_unanswered");

const moment = (ctx, at_ms) => `${day(ctx.language, at_ms)} ${clock(ctx.language, at_ms)}`;

export const shownLeft = (state) => state.left?.find(({ id }) => id === state.shownLeft) ?? null;

function Due({ ctx, state, one, words = true }) {
  const now = useNow(30_000) + state.skew;
  const time = moment(ctx, one.due);
  return html`<span class="wait ${urgency(one.due, now)}">${words ? ctx.say(now >= one.due ? "left_overdue" : "left_due", { time }) : time}</span>`;
}

export function LeftList({ ctx, state }) {
  if (!state.left?.length) return null;
  return html`
    <h2>${ctx.say("left")} <span class="count">${state.left.length}</span></h2>
    <ul>${state.left.map((one) => html`
      <li key=${one.id}>
        <button class="item own" aria-current=${one.id === state.shownLeft ? "true" : null} onClick=${() => ctx.dispatch("show_left", { id: one.id })}>
          <span class="item-line"><strong class="preview">${sender(ctx, one)}</strong>
            <span class="dim">${one.owner ? owner(ctx, state, one) : ctx.say("left_nobody")}</span></span>
          <span class="item-line dim"><span class="preview">${one.text}</span></span>
          <span class="item-line dim"><${Due} ctx=${ctx} state=${state} one=${one} /></span>
        </button>
      </li>`)}</ul>`;
}

const owner = (ctx, state, one) =>
  one.owner === state.me.agent.login ? ctx.say("you") : (state.team?.find(({ login }) => login === one.owner)?.name ?? one.owner);

export function LeftMessage({ ctx, state, one }) {
  const mine = one.owner === state.me.agent.login;
  const may = mine || !one.owner || supervises(state);
  const links = { mail: `mailto:${one.contact}`, phone: `tel:${one.contact.replace(/[^+\d]/g, "")}` };
  return html`
    <header class="talk-head">
      <div class="grow"><h2>${sender(ctx, one)}</h2><p class="dim">${ctx.queueName(one.queue)}</p></div>
      ${!mine && may && html`<button onClick=${() => ctx.desk.takeLeft(one.id)}>${ctx.say("left_take")}</button>`}
      ${one.owner && may && html`<button onClick=${() => ctx.desk.takeLeft(one.id, "")}>${ctx.say("left_give")}</button>`}
    </header>
    <div class="left-message">
      <blockquote class="break" lang=${one.language || null}>${one.text}</blockquote>
      <dl class="facts">
        ${row(ctx.say("left_contact"), one.contact
          ? html`<a href=${one.contact.includes("@") ? links.mail : links.phone}>${one.contact}</a>`
          : html`<span class="unknown">${ctx.say("left_no_contact")}</span>`)}
        ${row(ctx.say("left_at"), moment(ctx, one.at))}
        ${row(ctx.say("left_by"), html`<${Due} ctx=${ctx} state=${state} one=${one} words=${false} />`)}
        ${row(ctx.say("left_owner"), one.owner ? owner(ctx, state, one) : ctx.say("left_nobody"))}
        ${row(ctx.say("language"), languageName(ctx.language, one.language) ?? html`<span class="unknown">${ctx.say("unknown")}</span>`)}
        ${one.page && row(ctx.say("where"), html`<span class="break">${one.page}</span>`)}
      </dl>
      ${one.cid && html`<${Conversation} key=${one.id} ctx=${ctx} id=${one.id} />`}
      ${may
        ? html`<${Done} key=${`done ${one.id}`} ctx=${ctx} one=${one} />`
        : html`<p class="dim">${ctx.say("left_theirs", { name: owner(ctx, state, one) })}</p>`}
    </div>`;
}

const row = (label, value) => html`<div class="row"><dt>${label}</dt><dd>${value}</dd></div>`;

/** What was said before, fetched when it is asked for. */
function Conversation({ ctx, id }) {
  const [lines, setLines] = useState(null);
  const open = async (event) => {
    if (event.target.open && !lines) setLines(await ctx.desk.leftLines(id));
  };
  return html`
    <details onToggle=${open}>
      <summary>${ctx.say("left_lines")}</summary>
      ${lines && (lines.length ? html`<${SaidLines} ctx=${ctx} lines=${lines} />` : html`<p class="dim">${ctx.say("left_no_lines")}</p>`)}
    </details>`;
}

function Done({ ctx, one }) {
  const [outcome, setOutcome] = useState(null);
  const [note, setNote] = useState("");
  const [error, setError] = useState(null);

  async function submit(event) {
    event.preventDefault();
    if (!outcome) return setError(ctx.say("left_choose"));
    try {
      await ctx.desk.finishLeft(one.id, outcome, note);
    } catch (refusal) {
      setError(ctx.sayError(refusal.error));
    }
  }

  return html`
    <form class="left-done" onSubmit=${submit} novalidate>
      <fieldset class="choices">
        <legend>${ctx.say("left_outcome")}</legend>
        ${OUTCOMES.map((id) => html`
          <label key=${id}><input type="radio" name="outcome" value=${id} checked=${outcome === id}
            onChange=${() => { setOutcome(id); setError(null); }} /> ${ctx.say(`outcome_${id}`)}</label>`)}
      </fieldset>
      <label>${ctx.say("note")} <span class="dim small-text">${ctx.say("note_hint")}</span>
        <textarea rows="2" maxlength="2000" value=${note} onInput=${(event) => setNote(event.target.value)}></textarea></label>
      <${Status} alert>${error && html`<p class="error">${error}</p>`}<//>
      <div class="actions end"><button class="primary">${ctx.say("left_finish")}</button></div>
    </form>`;
}
