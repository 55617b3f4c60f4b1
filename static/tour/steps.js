// The steps of the tour, and how each of them sees that it was done. Pure: what the service says goes in.

const lines = (state, author) => state.session?.talk?.lines[author] ?? 0;
const open = (state, kind) => state.session?.open?.kind === kind;
const made = (state, action) => state.decisions.some((one) => one.outcome === "made" && one.action === action);

/** In their order. `done(state, kept)`: `kept` is what the tour itself noted, such as the kill. */
export const STEPS = [
  { id: "duty", done: (state) => state.free > 0 },
  { id: "cart", done: (state) => (state.session?.cart.quantity ?? 0) > 0 },
  { id: "hesitate", done: (state) => open(state, "invite") || Boolean(state.session?.talk) },
  { id: "ring", done: (state) => Boolean(state.session?.talk?.joined) },
  { id: "talk", done: (state) => lines(state, "shopper") > 0 && lines(state, "agent") > 0 },
  { id: "kill", done: (state, kept) => Boolean(kept.killed && survived(kept.killed, state)) },
  { id: "nobody", done: (state) => made(state, "article") },
  { id: "why", done: (state, kept) => Boolean(kept.asked) },
];

/** What there is to lose: events that were acknowledged, and lines of the talk. */
export const possessions = (state) => ({
  events: state.session?.events ?? 0,
  lines: state.session?.talk?.count ?? 0,
});

/** Is another process at work, is the shopper's page back, and is everything still there? */
export function survived(killed, state) {
  if (state.node === killed.node || !state.session?.here) return false;
  const now = possessions(state);
  return now.events >= killed.events && now.lines >= killed.lines;
}

/** The next moment at which a rule becomes true if nothing more happens: `{rule, at}`, or null. */
export function nextMoment(state) {
  const coming = state.rules.filter((rule) => rule.true_at !== null && !rule.remembered && stops(rule) === "");
  coming.sort((a, b) => a.true_at - b.true_at);
  return coming.length ? { rule: coming[0], at: coming[0].true_at } : null;
}

const stops = (rule) => (rule.obstacle === "not_before" || rule.obstacle === "no_capacity" ? "" : rule.obstacle);

/** Remember the moments that were announced, so that a decision can be set beside its own: rule -> ms. */
export function announced(before, state) {
  const after = { ...before };
  for (const rule of state.rules) if (rule.true_at !== null) after[rule.rule] = rule.true_at;
  return after;
}

/** How much later than announced a decision was made, ms; null if its moment was not announced. */
export function lateness(moments, decision) {
  const late = decision.at - moments[decision.rule];
  return late >= 0 && late < 1000 ? late : null;
}
