// How far a promised time is used up: fine, soon or late. Pure.

const SOON_MS = 60 * 60 * 1000;

/** A wait against the promise of its queue (s); soon from half of it on. Without a promise nothing is late. */
export function promptness(wait_ms, level_s) {
  if (!level_s) return "fine";
  const share = wait_ms / (level_s * 1000);
  return share >= 1 ? "late" : share >= 0.5 ? "soon" : "fine";
}

/** A left message against its due moment; soon within the last hour. */
export const urgency = (due_ms, now_ms) => (now_ms >= due_ms ? "late" : due_ms - now_ms <= SOON_MS ? "soon" : "fine");
