// The console's keys: one table for what they do and for the sheet that tells of them.

import { composes } from "./settings.js";
import { mine, shownRing } from "./store.js";

/** In the order of the sheet: [keys as written, text]; those that only a field knows are told, not handled here. */
export const SHEET = [
  ["A", "key_accept"],
  ["Alt + ↑ ↓", "key_talks"],
  ["/", "key_replies"],
  ["Esc", "key_escape"],
  ["?", "key_sheet"],
];

const typesText = (element) => element.matches("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

/** The talk before or after the one that is open, round and round; null if there is none. */
export function neighbour(state, step) {
  const all = mine(state).map(({ cid }) => cid);
  if (!all.length) return null;
  const at = all.indexOf(state.selected);
  return at < 0 ? all[0] : all[(at + step + all.length) % all.length];
}

/** What a key press asks for: [what, cid], or null. */
export function wanted(state, event) {
  if (state.phase !== "console" || state.dialog || event.repeat || event.ctrlKey || event.metaKey || composes(event)) return null;
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (event.altKey) return step && neighbour(state, step) ? ["select", neighbour(state, step)] : null;
  if (typesText(event.target)) return null;
  if (event.key === "?") return ["keys", null];
  const ring = shownRing(state);
  return ring && event.key.toLowerCase() === "a" ? ["accept", ring.cid] : null;
}
