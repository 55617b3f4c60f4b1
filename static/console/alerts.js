// What calls for the agent, and when that is to be heard. Pure: no sound, no clock, no page.

import { mine, rings, unread } from "./store.js";

export const REPEAT_MS = 30_000;

export const silent = { heard: [], at: 0 };

/** Everything that calls: `{id, kind: ring | line, cid}`; a talk with new lines has a new id at each of them. */
export function calling(state) {
  if (state.phase !== "console") return [];
  const lines = mine(state).filter((talk) => unread(talk) > 0);
  return [
    ...rings(state).map(({ cid }) => ({ id: `ring ${cid}`, kind: "ring", cid })),
    ...lines.map(({ cid, lines: all }) => ({ id: `line ${cid} ${all.at(-1).offset}`, kind: "line", cid })),
  ];
}

/**
 * The next step from what was `heard` before (`silent` at first): `{heard, at, fresh, sounds}`. `fresh` are the calls that are
 * new, `sounds` is whether to sound now: for what is new, and again each 30 s while anything calls.
 */
export function hear({ heard, at }, calls, now) {
  const fresh = calls.filter(({ id }) => !heard.includes(id));
  const sounds = fresh.length > 0 || (calls.length > 0 && now - at >= REPEAT_MS);
  return { heard: calls.map(({ id }) => id), at: sounds ? now : at, fresh, sounds };
}
