// The questions that have to be answered before going on: how a talk ended, to whom it goes, leaving with talks open.

import { html, useEffect, useRef, useState } from "../lib.js";
import { newMid } from "../desk.js";
import { mine } from "../store.js";
import { pick } from "../texts.js";
import { Status } from "./parts.js";

export { Status };
import { presenceName } from "./room.js";

/** A real modal dialog: the browser holds the focus inside, Escape closes it. */
export function Modal({ ctx, title, children, onSubmit }) {
  const dialog = useRef();
  useEffect(() => dialog.current.showModal(), []);
  const shut = () => dialog.current?.isConnected && ctx.dispatch("dialog", { dialog: null });
  return html`
    <dialog ref=${dialog} onClose=${shut} aria-labelledby="dialog-title">
      <form onSubmit=${onSubmit} novalidate>
        <h2 id="dialog-title">${title}</h2>
        ${children(() => dialog.current.close())}
      </form>
    </dialog>
  `;
}

export function CloseDialog({ ctx, talk }) {
  const { cid, data, note } = talk;
  const { dispositions = [], fields = [] } = ctx.queue(data.queue) ?? {};
  const [chosen, setChosen] = useState(data.disposition);
  const [text, setText] = useState(note.text);
  const [filled, setFilled] = useState(data.fields ?? {});
  const [error, setError] = useState(null);

  async function submit(event) {
    event.preventDefault();
    if (!chosen) return setError(ctx.say("disposition_needed"));
    const missing = fields.find(({ id, required }) => required && !filled[id]?.trim());
    if (missing) return setError(ctx.say("field_needed", { name: pick(ctx.language, missing.name) }));
    try {
      await ctx.desk.close(cid, chosen, text, filled);
    } catch (refusal) {
      setError(ctx.sayError(refusal.error));
    }
  }

  return html`<${Modal} ctx=${ctx} title=${ctx.say("close_title")} onSubmit=${submit}>${(shut) => html`
    <fieldset class="choices" aria-describedby="close-error">
      <legend>${ctx.say("disposition")}</legend>
      ${dispositions.map(({ id, name }) => html`
        <label key=${id}><input type="radio" name="disposition" value=${id} required checked=${chosen === id}
          onChange=${() => { setChosen(id); setError(null); }} /> ${pick(ctx.language, name) ?? id}</label>
      `)}
    </fieldset>
    ${fields.map(({ id, name, required }) => html`
      <label key=${id}>${pick(ctx.language, name)} ${required && html`<span class="dim small-text">${ctx.say("required")}</span>`}
        <input name=${`field-${id}`} maxlength="500" required=${required} autocomplete="off" value=${filled[id] ?? ""}
          onInput=${(event) => { setFilled({ ...filled, [id]: event.target.value }); setError(null); }} /></label>`)}
    <label>${ctx.say("note")} <span class="dim small-text">${ctx.say("note_hint")}</span>
      <textarea rows="3" maxlength="2000" name="note" value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
    </label>
    <div id="close-error"><${Status} alert>${error && html`<p class="error">${error}</p>`}<//></div>
    <div class="actions end">
      <button type="button" onClick=${shut}>${ctx.say("cancel")}</button>
      <button class="primary">${ctx.say("close_do")}</button>
    </div>
  `}<//>`;
}

/** To a colleague, for whom it rings while the talk goes on, or to a queue, where it goes at once. */
export function TransferDialog({ ctx, state, cid }) {
  const [to, setTo] = useState(null);
  const [note, setNote] = useState("");
  const queues = Object.keys(state.me.site.queues).map((id) => ({ key: `queue ${id}`, to: { queue: id }, name: ctx.queueName(id) }));
  const agents = colleagues(ctx, state, state.me.agent.login).map((one) => ({ ...one, to: { agent: one.login } }));
  const [error, submit] = useRefusal(ctx, () => to ? ctx.desk.transfer(cid, to, note) : Promise.reject({ choose: true }));
  return html`<${Modal} ctx=${ctx} title=${ctx.say("transfer_title")} onSubmit=${submit}>${(shut) => html`
    <${Choices} ctx=${ctx} legend=${ctx.say("to_colleague")} choices=${agents} none=${ctx.say("nobody_else")} onChoose=${setTo} />
    <${Choices} ctx=${ctx} legend=${ctx.say("to_queue")} choices=${queues} onChoose=${setTo} />
    <label>${ctx.say("warm_note")} <span class="dim small-text">${ctx.say("note_hint")}</span>
      <textarea rows="3" maxlength="2000" name="note" value=${note} onInput=${(event) => setNote(event.target.value)}></textarea></label>
    <${Foot} ctx=${ctx} shut=${shut} error=${error} doing="transfer_do" />
  `}<//>`;
}

/** A supervisor lets a conversation ring for somebody. */
export function AssignDialog({ ctx, state, cid }) {
  const [to, setTo] = useState(null);
  const agents = colleagues(ctx, state).map((one) => ({ ...one, to: one.login }));
  const [error, submit] = useRefusal(ctx, () => to ? ctx.desk.assign(cid, to) : Promise.reject({ choose: true }));
  return html`<${Modal} ctx=${ctx} title=${ctx.say("assign_title")} onSubmit=${submit}>${(shut) => html`
    <${Choices} ctx=${ctx} legend=${ctx.say("to_colleague")} choices=${agents} none=${ctx.say("nobody_else")} onChoose=${setTo} />
    <${Foot} ctx=${ctx} shut=${shut} error=${error} doing="assign_do" />
  `}<//>`;
}

/** An article or a discount code, sent as a card; asked for, since a code that is given is gone. */
export function CardDialog({ ctx, state, cid }) {
  const [card, setCard] = useState(null);
  const [mid] = useState(newMid); // sent again it is the same card
  const of = (kind) => (state.me.site.cards ?? []).filter((one) => one.kind === kind).map((one) => ({ key: `${kind} ${one.id}`, to: one, name: pick(ctx.language, one.title) }));
  const [error, submit] = useRefusal(ctx, () => card ? ctx.desk.sendCard(cid, card, mid) : Promise.reject({ choose: true }), "no_more_codes", "card_choose");
  return html`<${Modal} ctx=${ctx} title=${ctx.say("card_title")} onSubmit=${submit}>${(shut) => html`
    <${Choices} ctx=${ctx} legend=${ctx.say("card_articles")} choices=${of("article")} none=${ctx.say("card_none")} onChoose=${setCard} />
    <${Choices} ctx=${ctx} legend=${ctx.say("card_offers")} choices=${of("offer")} none=${ctx.say("card_none")} onChoose=${setCard} />
    <${Foot} ctx=${ctx} shut=${shut} error=${error} doing="send" />
  `}<//>`;
}

/** Who is there; who takes nothing at the moment, or has no free slot, cannot be chosen. */
const colleagues = (ctx, state, but = null) =>
  (state.team ?? []).filter((one) => one.here && one.login !== but).map((one) => ({
    key: `agent ${one.login}`,
    login: one.login,
    name: one.name,
    more: `${presenceName(ctx, state, one)} · ${one.load} / ${one.capacity}`,
    full: one.presence !== "available" || one.load >= one.capacity,
  }));

/** The sentence that belongs to a refusal, and the form's submit handler. */
function useRefusal(ctx, work, full = "no_slot", choose = "choose_first") {
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      await work();
    } catch (refusal) {
      setError(refusal.choose ? ctx.say(choose) : refusal.error === "full" ? ctx.say(full) : ctx.sayError(refusal.error));
    }
  };
  return [error, submit];
}

function Choices({ ctx, legend, choices, none, onChoose }) {
  return html`
    <fieldset class="choices"><legend>${legend}</legend>
      ${!choices.length && html`<p class="dim">${none}</p>`}
      ${choices.map(({ key, name, more, full, to }) => html`
        <label key=${key} class=${full ? "dim" : ""}><input type="radio" name="to" disabled=${full} onChange=${() => onChoose(to)} /> ${name}
          ${more && html` <span class="dim small-text">${more}</span>`}</label>`)}
    </fieldset>`;
}

const Foot = ({ ctx, shut, error, doing }) => html`
  <${Status} alert>${error && html`<p class="error">${error}</p>`}<//>
  <div class="actions end">
    <button type="button" onClick=${shut}>${ctx.say("cancel")}</button>
    <button class="primary">${ctx.say(doing)}</button>
  </div>`;

export function LogoutDialog({ ctx, state }) {
  const submit = (event) => {
    event.preventDefault();
    ctx.desk.logout();
  };
  const n = mine(state).filter(({ data }) => data.state !== "closed").length;
  return html`<${Modal} ctx=${ctx} title=${ctx.say("logout_title")} onSubmit=${submit}>${(shut) => html`
    <p>${ctx.say("logout_text", { n })}</p>
    <div class="actions end">
      <button type="button" onClick=${shut}>${ctx.say("stay")}</button>
      <button class="primary">${ctx.say("log_out")}</button>
    </div>
  `}<//>`;
}
