// What goes on now, and whether the rules help.

import { html } from "/agent/lib.js";

const DAYS = [1, 7, 30];

export function Overview({ ctx, state }) {
  const { overview, funnel } = state;
  return html`
    ${overview.store !== "here" && html`<p class="fault" role="alert">${ctx.say("store_away")}</p>`}
    ${overview.refused && html`<div class="fault" role="alert"><div><p>${ctx.say("refused")}</p><pre>${overview.refused}</pre></div></div>`}
    <${Switch} ctx=${ctx} killed=${overview.killed} />
    <section class="panel">
      <h2>${ctx.say("now")}</h2>
      <p class="figures"><b>${ctx.number(overview.sockets)}</b> ${ctx.say("shoppers")}
        <span class="dim"> · ${ctx.say("rules_version")} ${overview.version}</span></p>
      <div class="scroll" tabindex="0"><table class="queues">
        <thead><tr><th>${ctx.say("queue")}</th><th class="num">${ctx.say("free")}</th><th class="num">${ctx.say("waiting")}</th><th class="num">${ctx.say("wait")}</th><th class="num">${ctx.say("in_time", { days: state.days === 1 ? ctx.say("day") : ctx.say("days", { n: state.days }) })}</th><th class="num">${ctx.say("given_up")}</th></tr></thead>
        <tbody>${overview.queues.map((queue) => html`
          <tr><th scope="row">${ctx.pick(queue.name)}</th><td class="num">${ctx.number(queue.free)}</td><td class="num">${ctx.number(queue.waiting)}</td>
            <td class="num">${queue.wait_s === null ? html`<span class="unknown">${ctx.say("unknown")}</span>` : ctx.say("seconds", { n: ctx.number(queue.wait_s) })}</td>
            <${Level} ctx=${ctx} promise=${queue.promise} level=${funnel.levels.find((one) => one.queue === queue.id)} /></tr>`)}
        </tbody>
      </table></div>
    </section>
    <section class="panel">
      <div class="row">
        <h2 class="grow">${ctx.say("helps")}</h2>
        <select aria-label=${ctx.say("helps")} value=${state.days} onChange=${(event) => {
          ctx.set({ days: +event.target.value });
          ctx.refresh();
        }}>${DAYS.map((n) => html`<option value=${n} selected=${n === state.days}>${n === 1 ? ctx.say("day") : ctx.say("days", { n })}</option>`)}</select>
      </div>
      ${funnel.rules.length ? html`<${Funnel} ctx=${ctx} funnel=${funnel} />` : html`<p class="empty">${ctx.say("nothing_yet")}</p>`}
    </section>`;
}

/** How a queue kept its promise: a share of those who asked was answered in time. */
function Level({ ctx, promise: [share, within_s], level }) {
  const asked = ctx.say("promise", { share: ctx.percent(share), n: within_s });
  if (!level || level.share === null) return html`<td class="num"><span class="dim">– <span class="small-text">${asked}</span></span></td><td class="num dim">0</td>`;
  return html`
    <td class="num"><b class=${level.share >= share ? "good-text" : "late"}>${ctx.percent(level.share)}</b>${" "}<span class="dim small-text">${ctx.say("of", { n: ctx.number(level.answered + level.abandoned) })} · ${asked}</span></td>
    <td class="num">${ctx.number(level.abandoned)}</td>`;
}

function Switch({ ctx, killed }) {
  const turn = async (on) => {
    if (await ctx.change("kill", { on })) await ctx.refresh();
  };
  if (killed) return html`
    <section class="panel stopped" role="status">
      <p class="grow">${ctx.say("killed", { who: killed })}</p>
      <button class="primary" onClick=${() => turn(false)}>${ctx.say("revive")}</button>
    </section>`;
  return html`
    <section class="panel row">
      <p class="grow dim">${ctx.say("kill_hint")}</p>
      <button class="danger" onClick=${() => turn(true)}>${ctx.say("kill")}</button>
    </section>`;
}

function Funnel({ ctx, funnel }) {
  const most = Math.max(...funnel.rules.map((row) => row.treated.sessions + row.held_out.sessions), 1);
  const heads = ["eligible", "held_out", "shown", "accepted", "answered", "bought", "bought_held", "lift"];
  const rows = [...funnel.rules, { ...funnel.programme, rule: ctx.say("all_rules"), whole: true }];
  return html`
    <div class="scroll" tabindex="0"><table class="funnel">
      <thead><tr><th>${ctx.say("rule")}</th>${heads.map((head) => html`<th class="num">${ctx.say(head)}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<${FunnelRow} ctx=${ctx} row=${row} most=${most} />`)}</tbody>
    </table></div>`;
}

function FunnelRow({ ctx, row, most }) {
  const eligible = row.treated.sessions + row.held_out.sessions;
  const bought = (group) => group.sessions ? `${ctx.number(group.bought)} (${ctx.percent(group.bought / group.sessions)})` : "–";
  const counts = [eligible, row.held_out.sessions, row.shown, row.accepted, row.answered];
  return html`
    <tr class=${row.whole ? "whole" : ""}>
      <th scope="row">${row.rule}${!row.whole && html`
        <svg class="bars" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          <rect class="bar-all" width=${(100 * eligible) / most} height="6" /><rect class="bar-shown" width=${(100 * row.shown) / most} height="6" />
        </svg>`}</th>
      ${counts.map((count) => html`<td class="num">${ctx.number(count)}</td>`)}
      <td class="num">${bought(row.treated)}</td><td class="num">${bought(row.held_out)}</td>
      <td class="num">${lift(ctx, row.lift)}</td>
    </tr>`;
}

function lift(ctx, found) {
  if (!found) return html`<span class="unknown">${ctx.say("too_few")}</span>`;
  const points = (share) => new Intl.NumberFormat(ctx.language, { signDisplay: "exceptZero", maximumFractionDigits: 1 }).format(share * 100);
  return ctx.say("points", { d: points(found.difference), low: points(found.low), high: points(found.high) });
}
