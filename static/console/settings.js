// What an agent chooses for this browser: kept there, the same in every tab from the next load on.

import { set, setting } from "./keep.js";

const KNOWN = { sound: ["off", "on"], notify: ["off", "on"], send: ["enter", "ctrl"] }; // the first is the usual one

/** `{sound, notify}` as true or false, `send` as "enter" or "ctrl". */
export function settings() {
  const value = (name) => (KNOWN[name].includes(setting(name)) ? setting(name) : KNOWN[name][0]);
  return { sound: value("sound") === "on", notify: value("notify") === "on", send: value("send") };
}

/** Change one: true or false become on or off. */
export function choose(name, value) {
  set(name, typeof value === "boolean" ? (value ? "on" : "off") : value);
}

/** Does this key press send, by the agent's choice? Not while an input method composes. */
export function sends(event, send) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || composes(event)) return false;
  return send === "enter" || event.ctrlKey || event.metaKey;
}

const COMPOSING = 229; // the key code while an input method composes, also where `isComposing` is already false

export const composes = ({ isComposing, keyCode }) => isComposing || keyCode === COMPOSING;
