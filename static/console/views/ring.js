// The ring: everything an agent needs to say yes, and how long they have to say it. It never takes the focus.

import { html } from "../lib.js";
import { span } from "../format.js";
import { Cart, Facts, Journey, Passed, Why, who } from "./card.js";
import { Bar, Countdown, Icon, Since } from "./parts.js";

/** `docked`: above a talk that is open, and so smaller. */
export function RingPanel({ ctx, state, talk, docked }) {
  const { cid, deadline, data } = talk;
  const { card } = data;
  return html`
    <section class="ring ${docked ? "docked" : ""}" aria-label=${ctx.say("ringing")}>
      <header class="ring-head">
        <span class="ring-sign"><${Icon} name="bell" /></span>
        <div class="grow">
          <h2>${who(ctx, card)}</h2>
          <p class="dim">${ctx.queueName(data.queue)} · <${Since} since_ms=${data.opened_ms} skew=${state.skew}
            words=${(ms) => ctx.say("waits", { time: span(ctx.language, ms) })} /></p>
        </div>
        ${deadline && html`<p class="ring-left"><${Countdown} deadline=${deadline} skew=${state.skew} words=${(text, n) => ctx.say("seconds_left", { n })} /></p>`}
      </header>
      ${deadline && html`<${Bar} deadline=${deadline} skew=${state.skew} whole_ms=${talk.ring_ms} />`}
      <div class="ring-body">
        <${Passed} ctx=${ctx} transfer=${data.transfer} />
        <${Why} ctx=${ctx} why=${card?.why} />
        <div class="ring-columns">
          <${Facts} ctx=${ctx} card=${card} skew=${state.skew} />
          <${Cart} ctx=${ctx} cart=${card?.cart} />
        </div>
        <${Journey} ctx=${ctx} journey=${card?.journey} most=${docked ? 5 : 10} />
      </div>
      <footer class="ring-foot">
        <button class="primary" aria-keyshortcuts="a" onClick=${() => ctx.desk.accept(cid)}>${ctx.say("accept")}</button>
        <button onClick=${() => ctx.desk.decline(cid)}>${ctx.say("decline")}</button>
        <span class="dim key-hint">${ctx.say("accept_key")}</span>
      </footer>
    </section>
  `;
}
