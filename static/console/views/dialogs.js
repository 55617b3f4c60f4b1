// The two questions that have to be answered before going on: how a talk ended, and leaving with talks open.

import { html, useEffect, useRef, useState } from "../lib.js";
import { mine } from "../store.js";
import { pick } from "../texts.js";
import { Status } from "./parts.js";

/** A real modal dialog: the browser holds the focus inside, Escape closes it. */
function Modal({ ctx, title, children, onSubmit }) {
  const dialog = useRef();
  useEffect(() => dialog.current.showModal(), []);
  const shut = () => ctx.dispatch("dialog", { dialog: null });
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
  const dispositions = ctx.queue(data.queue)?.dispositions ?? [];
  const [chosen, setChosen] = useState(data.disposition);
  const [text, setText] = useState(note.text);
  const [error, setError] = useState(null);

  async function submit(event) {
    event.preventDefault();
    if (!chosen) return setError(ctx.say("disposition_needed"));
    try {
      await ctx.desk.close(cid, chosen, text);
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
