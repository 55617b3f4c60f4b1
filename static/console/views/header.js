// The top: presence, always visible and always true; the link's state; language and logout.

import { html } from "../lib.js";
import { mine } from "../store.js";
import { pick } from "../texts.js";
import { Status, useNow } from "./parts.js";

const STATES = ["available", "last_chat", "away", "break"];

export function Header({ ctx, state }) {
  const { agent, site } = state.me;
  const leave = () => (mine(state).some(({ data }) => data.state !== "closed") ? ctx.dispatch("dialog", { dialog: "logout" }) : ctx.desk.logout());
  return html`
    <header class="top">
      <p class="brand">${site.name}</p>
      <${Presence} ctx=${ctx} state=${state} />
      <p class="me"><span class="me-name">${agent.name}</span></p>
      <button class="quiet" onClick=${() => ctx.dispatch("dialog", { dialog: "settings" })}>${ctx.say("settings")}</button>
      <button class="quiet" onClick=${ctx.switchLanguage} lang=${ctx.language === "en" ? "ja" : "en"}>${ctx.say("language_switch")}</button>
      <button class="quiet" onClick=${leave}>${ctx.say("log_out")}</button>
    </header>
  `;
}

function Presence({ ctx, state }) {
  const open = state.link.status === "open";
  return html`
    <fieldset class="presence" disabled=${!open}>
      <legend class="hidden">${ctx.say("presence")}</legend>
      ${STATES.map(
        (name) => html`
          <label class="presence-${name}" key=${name}>
            <input type="radio" name="presence" value=${name} checked=${open && state.presence === name} onChange=${() => ctx.desk.presence(name)} />
            <span><i class="dot"></i>${ctx.say(name)}</span>
          </label>
        `,
      )}
      <${Breaks} ctx=${ctx} state=${state} />
      ${!open && html`<span class="offline">${ctx.say("offline")}</span>`}
    </fieldset>
  `;
}

/** On a break: which one, for colleagues to see. */
function Breaks({ ctx, state }) {
  const breaks = state.me.site.breaks ?? [];
  if (state.presence !== "break" || !breaks.length) return null;
  return html`
    <select class="reason" aria-label=${ctx.say("break_reason")} value=${state.reason ?? ""} onChange=${(event) => ctx.desk.presence("break", event.target.value)}>
      <option value="">${ctx.say("no_reason")}</option>
      ${breaks.map(({ id, name }) => html`<option key=${id} value=${id}>${pick(ctx.language, name)}</option>`)}
    </select>`;
}

/** Under the header: what is wrong and what to do, or nothing. Mounted always, so that it is read out. */
export function Banner({ ctx, state }) {
  return html`
    <${Status}>
      <${LinkBanner} ctx=${ctx} link=${state.link} />
      ${state.reason === "missed_rings" && state.presence !== "available" && html`<p class="banner warn">${ctx.say("reason_missed_rings")}</p>`}
      ${state.notice && html`
        <p class="banner">
          ${state.notice.error ? ctx.sayError(state.notice.error) : ctx.say(state.notice.key)}
          <button class="quiet" onClick=${() => ctx.dispatch("notice", { notice: null })}>${ctx.say("dismiss")}</button>
        </p>
      `}
    <//>
  `;
}

function LinkBanner({ ctx, link }) {
  if (link.status === "open") return null;
  if (link.status === "stopped") {
    return html`<p class="banner warn">${ctx.say("stopped", { code: link.code })}
      <button class="quiet" onClick=${() => location.reload()}>${ctx.say("reload")}</button></p>`;
  }
  if (link.status === "waiting") return html`<${Waiting} ctx=${ctx} until_ms=${link.until_ms} />`;
  return html`<p class="banner warn">${ctx.say("connecting")}</p>`;
}

function Waiting({ ctx, until_ms }) {
  const seconds = Math.max(1, Math.ceil((until_ms - useNow(500)) / 1000));
  return html`<p class="banner warn">
    <span aria-live="off">${ctx.say("waiting_s", { n: seconds })}</span>
    <button class="quiet" onClick=${() => ctx.desk.reconnect()}>${ctx.say("try_now")}</button>
  </p>`;
}
