// The middle: the lines in order, what is on its way, and what follows below them.

import { html, useLayoutEffect, useMemo, useRef, useState } from "../lib.js";
import { clock, day } from "../format.js";
import { talks, typing } from "../store.js";
import { who } from "./card.js";
import { Composer } from "./composer.js";
import { Countdown, useNow } from "./parts.js";

const NEAR_PX = 80; // this close to the end counts as reading along

export function Talk({ ctx, state, talk }) {
  const { data } = talk;
  const can = talks(talk);
  return html`
    <header class="talk-head">
      <div class="grow"><h2>${who(ctx, data.card)}</h2><p class="dim">${ctx.queueName(data.queue)}</p></div>
      ${can && html`<button class="quiet" onClick=${() => ctx.dispatch("dialog", { dialog: { kind: "abuse", cid: talk.cid } })}>${ctx.say("abuse")}</button>
        <button disabled=${Boolean(data.transfer?.to)} onClick=${() => ctx.dispatch("dialog", { dialog: { kind: "transfer", cid: talk.cid } })}>${ctx.say("transfer")}</button>
        <button onClick=${() => ctx.dispatch("dialog", { dialog: "close" })}>${ctx.say("close")}</button>`}
    </header>
    ${data.transfer?.to && html`<p class="passing" role="status">${ctx.say("rings_for", { name: nameOf(state, data.transfer.to) })}</p>`}
    <${Lines} ctx=${ctx} state=${state} talk=${talk} />
    ${can ? html`<${Composer} ctx=${ctx} state=${state} talk=${talk} caret=${state.caret} />` : html`<${Ended} ctx=${ctx} state=${state} talk=${talk} />`}
  `;
}

const nameOf = (state, login) => state.team?.find((one) => one.login === login)?.name ?? login;

function Lines({ ctx, state, talk }) {
  const box = useRef();
  const along = useRef(true); // does the agent read along at the end?
  const [below, setBelow] = useState(false);
  const language = talk.data.card?.language;
  // Drawn anew only when there are others: a key in the reply box must not go through 500 lines.
  const rows = useMemo(
    () => inOrder(talk).map((row) => html`<${Row} key=${row.key} ctx=${ctx} talk=${talk} row=${row} />`),
    [talk.lines, talk.gaps, ctx.language, language],
  );
  const count = talk.lines.length + talk.pending.length;

  const toEnd = () => (box.current.scrollTop = box.current.scrollHeight);
  useLayoutEffect(() => {
    if (along.current) toEnd();
    else setBelow(true);
  }, [count]);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => along.current && toEnd()); // a ring above makes the thread smaller
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    along.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (along.current) setBelow(false);
  };

  return html`
    <div class="lines-box">
      <div class="thread" ref=${box} onScroll=${scrolled} role="log" aria-label=${ctx.say("thread")} tabindex="0">
        ${!rows.length && html`<p class="empty">${ctx.say("thread_empty")}</p>`}
        ${rows}
        ${talk.pending.map((line) => html`<${Pending} key=${line.mid} ctx=${ctx} cid=${talk.cid} line=${line} />`)}
        <${Typing} ctx=${ctx} talk=${talk} />
      </div>
      ${below && html`<button class="below small" onClick=${toEnd}>${ctx.say("new_lines")}</button>`}
    </div>
  `;
}

/** Lines, days and gaps as rows: `{key, kind: day | gap | line, ...}`. */
function inOrder({ lines, gaps }) {
  const rows = [];
  const left = [...gaps].sort((a, b) => a[0] - b[0]);
  let date = null;
  for (const line of lines) {
    while (left.length && left[0][0] < line.offset) rows.push(gapRow(left.shift()));
    const today = new Date(line.at_ms).toDateString();
    if (today !== date) rows.push({ key: `day ${today}`, kind: "day", at_ms: line.at_ms });
    date = today;
    rows.push({ key: `line ${line.offset}`, kind: "line", line });
  }
  return [...rows, ...left.map(gapRow)];
}

const gapRow = ([first, last]) => ({ key: `gap ${first}`, kind: "gap", n: last - first + 1 });

function Row({ ctx, talk, row }) {
  if (row.kind === "day") return html`<p class="sign">${row.at_ms && isToday(row.at_ms) ? ctx.say("today") : day(ctx.language, row.at_ms)}</p>`;
  if (row.kind === "gap") return html`<p class="sign gap">${ctx.say(row.n === 1 ? "gap_one" : "gap_many", { n: row.n })}</p>`;
  const { author, text, at_ms, name, card } = row.line;
  const time = clock(ctx.language, at_ms);
  if (author === "system") {
    return html`<p class="sign">${ctx.say(`system_${text}`, { name: name ?? ctx.say("unknown") }) ?? text} <time class="digits">${time}</time></p>`;
  }
  const own = author === "agent";
  return html`
    <div class="line ${own ? "own" : "theirs"}">
      <p class="hidden">${own ? (name ?? ctx.say("you")) : ctx.say("shopper")}</p>
      ${card ? html`<${Card} ctx=${ctx} card=${card} />` : html`<p class="bubble" lang=${talk.data.card?.language ?? null}>${text}</p>`}
      <p class="under digits">${own && name ? `${name} · ` : ""}${time}</p>
    </div>
  `;
}

/** What was sent beside words: an article, or a code with its end. */
function Card({ ctx, card: { title, text, url, code, expires_at_ms } }) {
  return html`
    <div class="bubble sent">
      <strong>${title}</strong>
      ${text && html`<p>${text}</p>`}
      ${code && html`<p><code>${code}</code> <span class="digits">${ctx.say("card_until", { time: `${day(ctx.language, expires_at_ms)} ${clock(ctx.language, expires_at_ms)}` })}</span></p>`}
      ${url && html`<p class="break">${url}</p>`}
    </div>`;
}

const isToday = (at_ms) => new Date(at_ms).toDateString() === new Date().toDateString();

function Pending({ ctx, cid, line: { mid, text, status, error, at_ms } }) {
  return html`
    <div class="line own ${status}">
      <p class="hidden">${ctx.say("you")}</p>
      <p class="bubble">${text}</p>
      ${status === "refused"
        ? html`<p class="under error" role="alert">${ctx.say("not_sent")} ${ctx.sayError(error)}
            <span class="actions">
              <button class="small" onClick=${() => ctx.desk.again(cid, mid)}>${ctx.say("send_again")}</button>
              <button class="small" onClick=${() => ctx.dispatch("discard", { cid, mid })}>${ctx.say("discard")}</button>
            </span></p>`
        : html`<p class="under digits">${status === "sending" ? ctx.say("sending") : clock(ctx.language, at_ms)}</p>`}
    </div>
  `;
}

function Typing({ ctx, talk }) {
  const now = useNow(1000);
  return html`<p class="typing" role="status">${typing(talk, now) ? html`<i class="dots"><i></i><i></i><i></i></i> ${talk.peek ? html`<q class="break">${talk.peek}</q>` : ctx.say("typing")}` : ""}</p>`;
}

/** Instead of the reply box once the talk is over. */
function Ended({ ctx, state, talk }) {
  const { data, deadline } = talk;
  if (data.state !== "wrap-up") return html`<div class="ended"><p>${ctx.say("closed_text")}</p></div>`;
  return html`
    <div class="ended">
      <p>${ctx.say("wrapup")}</p>
      ${deadline && html`<p class="dim"><${Countdown} deadline=${deadline} skew=${state.skew} words=${(time) => ctx.say("wrapup_left", { time })} /></p>`}
      ${!data.disposition && html`<p>${ctx.say("wrapup_disposition")} <button onClick=${() => ctx.dispatch("dialog", { dialog: "close" })}>${ctx.say("set_disposition")}</button></p>`}
    </div>
  `;
}
