// Small pieces that several views share.

import { html, useEffect, useState } from "../lib.js";
import { countdown } from "../format.js";

const PATHS = {
  person: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.500 14a5.500 5.500 0 0 1 11 0",
  page: "M4 1.500h5.500L13 5v9.500H4zM9 1.500V5.500h4",
  list: "M5.500 4h8M5.500 8h8M5.500 12h8M2 4h.5M2 8h.5M2 12h.5",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.800 10.800 14 14",
  product: "M2 5l6-3 6 3v6l-6 3-6-3zM2 5l6 3 6-3M8 8v6",
  cart: "M1.500 2.500h2l1.500 8h7.500L14 5H4M6 13.500h.5M11.500 13.500h.5",
  heart: "M8 13.500S2 10 2 5.800A3 3 0 0 1 8 4.500a3 3 0 0 1 6 1.300C14 10 8 13.500 8 13.500z",
  card: "M1.500 3.500h13v9h-13zM1.500 6.500h13M4 10h3",
  check: "M2.500 8.500 6 12l7.500-8",
  tag: "M2 2h5.500L14 8.500 8.500 14 2 7.500zM5 5h.5",
  talk: "M2 2.500h12v8.500H8l-3.500 3v-3H2z",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1.500 1.500h-11zM6.800 14.200h2.400",
};

export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${PATHS[name] ?? PATHS.page} /></svg>
`;

/** The moment, renewed every `step_ms`. */
export function useNow(step_ms = 1000) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), step_ms);
    return () => clearInterval(timer);
  }, [step_ms]);
  return now;
}

/** What is left until `deadline` (server ms), as a bar that empties; `whole_ms` is what a full bar stands for. */
export function Bar({ deadline, skew, whole_ms }) {
  const left = deadline - (useNow(250) + skew);
  const share = Math.max(0, Math.min(1, left / whole_ms));
  return html`<div class="bar ${share < 0.3 ? "urgent" : ""}" aria-hidden="true">
    <div class="bar-fill" style=${{ transform: `scaleX(${share.toFixed(3)})` }}></div>
  </div>`;
}

export function Countdown({ deadline, skew, words }) {
  const left = deadline - (useNow(250) + skew);
  return html`<span class="digits">${words(countdown(left), Math.max(0, Math.ceil(left / 1000)))}</span>`;
}

/** A span that grows: since `since_ms` (server ms). */
export function Since({ since_ms, skew, words }) {
  return html`<span class="digits">${words(useNow(1000) + skew - since_ms)}</span>`;
}

/** A value, or the word for not knowing it. */
export const Known = ({ ctx, value }) =>
  value === null || value === undefined || value === "" ? html`<span class="unknown">${ctx.say("unknown")}</span>` : String(value);

/** A notice that stays mounted, so that what appears in it is read out. */
export const Status = ({ children, alert = false }) => html`<div role=${alert ? "alert" : "status"}>${children}</div>`;
