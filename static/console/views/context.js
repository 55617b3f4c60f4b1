// The right column: the shopper as they are now, and the note for colleagues.

import { html } from "../lib.js";
import { clock } from "../format.js";
import { pick } from "../texts.js";
import { Earlier } from "./earlier.js";
import { Cart, Facts, Journey, Passed, Why, WhyAgent } from "./card.js";

export function Context({ ctx, state, talk }) {
  return html`
    <aside class="column context" aria-label=${ctx.say("context")}>
      ${talk ? html`<${Known} key=${talk.cid} ctx=${ctx} state=${state} talk=${talk} />` : html`<p class="empty">${ctx.say("empty_context")}</p>`}
    </aside>
  `;
}

function Known({ ctx, state, talk }) {
  const { card, shopper_present, transfer, why_agent } = talk.data;
  return html`
    <p class="here ${shopper_present ? "on" : ""}"><i class="dot"></i>${ctx.say(shopper_present ? "on_page" : "off_page")}
      ${card?.at_ms ? html`<span class="dim digits">${ctx.say("as_of", { time: clock(ctx.language, card.at_ms, true) })}</span>` : null}</p>
    <${Passed} ctx=${ctx} transfer=${transfer} />
    <${Facts} ctx=${ctx} card=${card} skew=${state.skew} />
    <${Cart} ctx=${ctx} cart=${card?.cart} />
    <${Tags} ctx=${ctx} talk=${talk} />
    <${Note} ctx=${ctx} talk=${talk} />
    <${Why} ctx=${ctx} why=${card?.why} />
    <${Earlier} key=${talk.cid} ctx=${ctx} cid=${talk.cid} />
    <${Journey} ctx=${ctx} journey=${card?.journey} />
    <${WhyAgent} ctx=${ctx} why=${why_agent} />
  `;
}

/** What the talk is marked with; each is on or off. */
function Tags({ ctx, talk: { cid, data } }) {
  const known = ctx.queue(data.queue)?.tags ?? [];
  const own = data.tags ?? [];
  if (!known.length) return null;
  const flip = (id) => ctx.desk.tag(cid, own.includes(id) ? own.filter((one) => one !== id) : [...own, id]);
  return html`
    <section class="tags">
      <h3>${ctx.say("tags")}</h3>
      <div class="actions">${known.map(({ id, name }) => html`
        <button key=${id} class="small tag" aria-pressed=${own.includes(id)} disabled=${data.state === "closed"} onClick=${() => flip(id)}>${pick(ctx.language, name)}</button>`)}
      </div>
    </section>`;
}

function Note({ ctx, talk }) {
  const { cid, note, data } = talk;
  return html`
    <section class="note">
      <h3><label for="note">${ctx.say("note")}</label></h3>
      <textarea id="note" rows="3" maxlength="2000" value=${note.text} disabled=${data.state === "closed"} aria-describedby="note-hint"
        onInput=${(event) => ctx.desk.note(cid, event.target.value)} onBlur=${() => ctx.desk.keepNote(cid)}></textarea>
      <p class="dim small-text" id="note-hint">${ctx.say("note_hint")}
        <span role="status">${note.status !== "kept" || note.text ? ctx.say(`note_${note.status}`) : ""}</span></p>
    </section>
  `;
}
