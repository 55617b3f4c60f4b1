// The right column: the shopper as they are now, and the note for colleagues.

import { html } from "../lib.js";
import { clock } from "../format.js";
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
    <${Note} ctx=${ctx} talk=${talk} />
    <${Why} ctx=${ctx} why=${card?.why} />
    <${Journey} ctx=${ctx} journey=${card?.journey} />
    <${WhyAgent} ctx=${ctx} why=${why_agent} />
  `;
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
