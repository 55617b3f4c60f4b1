// The three columns; on a narrow screen they are tabs.

import { html } from "../lib.js";
import { calls, rings, selected, shownRing } from "../store.js";
import { who } from "./card.js";
import { Context } from "./context.js";
import { AssignDialog, CardDialog, CloseDialog, LogoutDialog, TransferDialog } from "./dialogs.js";
import { Banner, Header } from "./header.js";
import { Icon } from "./parts.js";
import { LeftMessage, shownLeft } from "./left.js";
import { List } from "./list.js";
import { RingPanel } from "./ring.js";
import { KeysDialog, SettingsDialog } from "./settings.js";
import { TalksDialog } from "./overlook.js";
import { AbuseDialog, BlocksDialog } from "./abuse.js";
import { Talk } from "./thread.js";

export function Console({ ctx, state }) {
  const talk = selected(state);
  const ring = shownRing(state);
  const left = talk ? null : shownLeft(state);
  return html`
    <div class="console tab-${state.tab}">
      <${Header} ctx=${ctx} state=${state} />
      <${Banner} ctx=${ctx} state=${state} />
      <${Tabs} ctx=${ctx} state=${state} ringing=${ring !== null} />
      <div class="columns">
        <${List} ctx=${ctx} state=${state} />
        <main class="column talk">
          ${ring && html`<${RingPanel} key=${`ring ${ring.cid}`} ctx=${ctx} state=${state} talk=${ring} docked=${talk !== null || left !== null} />`}
          ${talk ? html`<${Talk} key=${talk.cid} ctx=${ctx} state=${state} talk=${talk} />`
            : left ? html`<${LeftMessage} key=${left.id} ctx=${ctx} state=${state} one=${left} />`
            : !ring && html`<${Nothing} ctx=${ctx} state=${state} />`}
        </main>
        <${Context} ctx=${ctx} state=${state} talk=${talk} />
      </div>
      <p class="hidden" role="alert">${ring ? ctx.say("ring_said", { who: who(ctx, ring.data.card), queue: ctx.queueName(ring.data.queue) }) : ""}</p>
      ${state.dialog === "close" && talk && html`<${CloseDialog} ctx=${ctx} talk=${talk} />`}
      ${state.dialog?.kind === "transfer" && html`<${TransferDialog} ctx=${ctx} state=${state} cid=${state.dialog.cid} />`}
      ${state.dialog?.kind === "talks" && html`<${TalksDialog} ctx=${ctx} state=${state} login=${state.dialog.login} />`}
      ${state.dialog?.kind === "abuse" && html`<${AbuseDialog} ctx=${ctx} cid=${state.dialog.cid} />`}
      ${state.dialog === "blocks" && html`<${BlocksDialog} ctx=${ctx} />`}
      ${state.dialog?.kind === "card" && html`<${CardDialog} ctx=${ctx} state=${state} cid=${state.dialog.cid} />`}
      ${state.dialog?.kind === "assign" && html`<${AssignDialog} ctx=${ctx} state=${state} cid=${state.dialog.cid} />`}
      ${state.dialog === "settings" && html`<${SettingsDialog} ctx=${ctx} />`}
      ${state.dialog === "keys" && html`<${KeysDialog} ctx=${ctx} />`}
      ${state.dialog === "logout" && html`<${LogoutDialog} ctx=${ctx} state=${state} />`}
    </div>
  `;
}

function Nothing({ ctx, state }) {
  const some = Object.keys(state.talks).length > 0;
  return html`<p class="empty big"><${Icon} name=${some ? "talk" : "bell"} />${ctx.say(some ? "empty_talk" : state.presence === "available" ? "empty_available" : "empty_away")}</p>`;
}

function Tabs({ ctx, state, ringing }) {
  const marks = { list: calls(state), talk: rings(state).length, context: 0 };
  return html`
    <nav class="tabs">
      ${["list", "talk", "context"].map((tab) => html`
        <button key=${tab} class=${ringing && marks[tab] ? "loud" : ""} aria-current=${state.tab === tab ? "true" : null} onClick=${() => ctx.dispatch("tab", { tab })}>
          ${ctx.say(`tab_${tab}`)}${marks[tab] ? html` <span class="badge">${marks[tab]}</span>` : null}
        </button>
      `)}
    </nav>
  `;
}
