// What an agent chooses for this browser, and the sheet of keys.

import { html, useState } from "../lib.js";
import { browser } from "../bell.js";
import { SHEET } from "../keys.js";
import { choose, settings } from "../settings.js";
import { Modal } from "./dialogs.js";

export function SettingsDialog({ ctx }) {
  const [now, setNow] = useState(settings());
  const [permission, setPermission] = useState(browser.permission());
  const change = (name, value) => {
    choose(name, value);
    setNow(settings());
  };
  const sound = (on) => {
    change("sound", on);
    if (on) browser.sound("ring");
  };
  const notify = async (on) => {
    const answer = on && permission !== "granted" ? await browser.ask() : permission;
    setPermission(answer);
    change("notify", on && answer === "granted");
  };
  /** Shut first, so that the focus goes back to where the settings were opened, and from there to the keys and back. */
  const toKeys = (shut) => {
    shut();
    ctx.dispatch("dialog", { dialog: "keys" });
  };
  return html`<${Modal} ctx=${ctx} title=${ctx.say("settings")} onSubmit=${(event) => event.preventDefault()}>${(shut) => html`
    <fieldset class="choices">
      <legend>${ctx.say("settings_calls")}</legend>
      <label><input type="checkbox" name="sound" checked=${now.sound} onChange=${(event) => sound(event.target.checked)} /> ${ctx.say("settings_sound")}</label>
      <label><input type="checkbox" name="notify" checked=${now.notify && permission === "granted"} disabled=${permission === "denied"}
        onChange=${(event) => notify(event.target.checked)} /> ${ctx.say("settings_notify")}</label>
      <p class="dim small-text hint">${ctx.say(permission === "denied" ? "settings_blocked" : "settings_notify_hint")}</p>
    </fieldset>
    <fieldset class="choices">
      <legend>${ctx.say("settings_send")}</legend>
      ${["enter", "ctrl"].map((send) => html`
        <label key=${send}><input type="radio" name="send" value=${send} checked=${now.send === send} onChange=${() => change("send", send)} /> ${ctx.say(`settings_send_${send}`)}</label>`)}
    </fieldset>
    <div class="actions end">
      <button type="button" class="quiet" onClick=${() => toKeys(shut)}>${ctx.say("keys")}</button>
      <button type="button" class="primary" onClick=${shut}>${ctx.say("done")}</button>
    </div>
  `}<//>`;
}

export function KeysDialog({ ctx }) {
  const { send } = settings();
  const rows = [[send === "enter" ? "Enter" : "Ctrl + Enter", "key_send"], [send === "enter" ? "Shift + Enter" : "Enter", "key_line"], ...SHEET];
  return html`<${Modal} ctx=${ctx} title=${ctx.say("keys")} onSubmit=${(event) => event.preventDefault()}>${(shut) => html`
    <dl class="keys">${rows.map(([keys, text]) => html`<div key=${text}><dt><kbd>${keys}</kbd></dt><dd>${ctx.say(text)}</dd></div>`)}</dl>
    <div class="actions end"><button type="button" class="primary" onClick=${shut}>${ctx.say("done")}</button></div>
  `}<//>`;
}
