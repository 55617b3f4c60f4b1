// What was said with this shopper before: fetched once for each talk that is opened.

import { html, useEffect, useState } from "../lib.js";
import { clock, day } from "../format.js";
import { pick } from "../texts.js";

export function Earlier({ ctx, cid }) {
  const [talks, setTalks] = useState(null);
  useEffect(() => {
    ctx.desk.before(cid).then(setTalks);
  }, [cid]);
  return html`
    <section class="earlier">
      <h3>${ctx.say("earlier")}</h3>
      ${talks && !talks.length && html`<p class="dim">${ctx.say("earlier_none")}</p>`}
      ${talks?.map((one) => html`<${One} key=${one.cid} ctx=${ctx} one=${one} />`)}
    </section>`;
}

/** One of them: when, with whom, how it ended; opened, its note and lines. */
function One({ ctx, one }) {
  const { dispositions = [], tags = [] } = ctx.queue(one.queue) ?? {};
  const named = (all, id) => pick(ctx.language, all.find((each) => each.id === id)?.name) ?? id;
  const about = [one.name, one.disposition && named(dispositions, one.disposition), ...one.tags.map((id) => named(tags, id))];
  return html`
    <details>
      <summary>${day(ctx.language, one.closed)} ${clock(ctx.language, one.closed)}
        <span class="dim small-text"> ${about.filter(Boolean).join(" · ")}</span></summary>
      ${one.note && html`<p class="passed break">${one.note}</p>`}
      ${one.cut > 0 && html`<p class="dim small-text">${ctx.say("earlier_cut", { n: one.cut })}</p>`}
      <${SaidLines} ctx=${ctx} lines=${one.lines} />
    </details>`;
}

/** Lines that are only read. */
export function SaidLines({ ctx, lines }) {
  const author = ({ author: who, name }) => (who === "shopper" ? ctx.say("shopper") : (name ?? ctx.say("you")));
  return html`
    <ol class="said">${lines.map((line) => html`
      <li key=${line.offset}>
        ${line.author === "system"
          ? html`<span class="dim">${ctx.say(`system_${line.text}`, { name: line.name ?? "" }) ?? line.text}</span>`
          : html`<span class="dim small-text">${author(line)} <time class="digits">${clock(ctx.language, line.at_ms)}</time></span>
            <span class="break">${line.text}</span>`}
      </li>`)}</ol>`;
}
