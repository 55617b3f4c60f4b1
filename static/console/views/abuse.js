// Abuse: an agent warns, or ends and blocks; a supervisor sees who is blocked, and lifts it.

import { html, useEffect, useState } from "../lib.js";
import { clock, day } from "../format.js";
import { Modal, Status } from "./dialogs.js";

export function AbuseDialog({ ctx, cid }) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState(null);
  async function submit(event) {
    event.preventDefault();
    if (!reason.trim()) return setError(ctx.say("block_why"));
    try {
      await ctx.desk.block(cid, reason.trim());
    } catch (refusal) {
      setError(ctx.sayError(refusal.error));
    }
  }
  return html`<${Modal} ctx=${ctx} title=${ctx.say("abuse_title")} onSubmit=${submit}>${(shut) => html`
    <p>${ctx.say("abuse_warn")}</p>
    <div class="actions"><button type="button" onClick=${() => ctx.desk.warn(cid)}>${ctx.say("warn_do")}</button></div>
    <p>${ctx.say("abuse_block")}</p>
    <label>${ctx.say("block_reason")}
      <textarea rows="2" maxlength="500" name="reason" value=${reason} onInput=${(event) => { setReason(event.target.value); setError(null); }}></textarea></label>
    <div id="abuse-error"><${Status} alert>${error && html`<p class="error">${error}</p>`}<//></div>
    <div class="actions end">
      <button type="button" onClick=${shut}>${ctx.say("cancel")}</button>
      <button class="danger">${ctx.say("block_do")}</button>
    </div>
  `}<//>`;
}

export function BlocksDialog({ ctx }) {
  const [blocks, setBlocks] = useState(null);
  const look = () => ctx.desk.blocks().then(setBlocks);
  useEffect(() => {
    look();
  }, []);
  return html`<${Modal} ctx=${ctx} title=${ctx.say("blocks_title")} onSubmit=${(event) => event.preventDefault()}>${(shut) => html`
    ${!blocks ? html`<p class="dim">${ctx.say("loading")}</p>` : !blocks.length && html`<p class="dim">${ctx.say("blocks_none")}</p>`}
    <ul class="blocks">${blocks?.map((one) => html`<${Blocked} key=${one.cid} ctx=${ctx} one=${one} lift=${() => ctx.desk.unblock(one.cid).then(look)} />`)}</ul>
    <div class="actions end"><button type="button" onClick=${shut}>${ctx.say("done")}</button></div>
  `}<//>`;
}

function Blocked({ ctx, one, lift }) {
  const until = `${day(ctx.language, one.until)} ${clock(ctx.language, one.until)}`;
  return html`<li>
    <div class="grow"><strong>${ctx.say("shopper")}${one.who ? ` ${one.who}` : ""}</strong>
      <p class="break">${one.reason}</p>
      <p class="dim small-text">${ctx.say("blocked_by", { name: one.name, time: until })}</p></div>
    <button type="button" onClick=${lift}>${ctx.say("unblock")}</button>
  </li>`;
}
