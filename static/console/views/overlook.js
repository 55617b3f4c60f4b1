// A supervisor looks into a colleague's conversations, and takes one over.

import { html, useEffect, useState } from "../lib.js";
import { who } from "./card.js";
import { Modal } from "./dialogs.js";
import { SaidLines } from "./earlier.js";

export function TalksDialog({ ctx, state, login }) {
  const colleague = state.team?.find((one) => one.login === login);
  const cids = colleague?.talks ?? [];
  return html`<${Modal} ctx=${ctx} title=${ctx.say("talks_title", { name: colleague?.name ?? login })} onSubmit=${(event) => event.preventDefault()}>${(shut) => html`
    ${!cids.length && html`<p class="dim">${ctx.say("talks_none")}</p>`}
    ${cids.map((cid) => html`<${Overlooked} key=${cid} ctx=${ctx} cid=${cid} shut=${shut} />`)}
    <div class="actions end"><button type="button" onClick=${shut}>${ctx.say("done")}</button></div>
  `}<//>`;
}

function Overlooked({ ctx, cid, shut }) {
  const [talk, setTalk] = useState(null);
  useEffect(() => {
    ctx.desk.look(cid).then(setTalk);
  }, [cid]);
  if (!talk) return html`<p class="dim">${ctx.say("loading")}</p>`;
  const take = () => {
    shut();
    ctx.desk.take(cid);
  };
  return html`
    <section class="overlooked">
      <div class="item-line"><strong>${who(ctx, talk.card)}</strong><span class="dim">${ctx.queueName(talk.queue)}</span></div>
      <div class="overlooked-lines" tabindex="0" role="log" aria-label=${ctx.say("thread")}><${SaidLines} ctx=${ctx} lines=${talk.messages} /></div>
      ${["ringing", "active"].includes(talk.state) && html`<div class="actions end"><button type="button" onClick=${take}>${ctx.say("take_over")}</button></div>`}
    </section>`;
}
