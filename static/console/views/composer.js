// The reply box.

import { html, useLayoutEffect, useRef, useState } from "../lib.js";
import { asked, matching, words } from "../replies.js";
import { composes, sends, settings } from "../settings.js";

const MOST_CHARS = 2000;
const TELL_CHARS = 200; // how many are left is said from here on

/** `caret` grows when the agent has opened this talk: only then does the box take the focus. */
export function Composer({ ctx, state, talk, caret }) {
  const box = useRef();
  const [at, setAt] = useState(0); // which of the offered replies
  const [shut, setShut] = useState(null); // the draft for which Escape was pressed
  const { cid, draft, suggested, data } = talk;
  const left = MOST_CHARS - draft.length;

  useLayoutEffect(() => {
    if (!caret) return;
    box.current.focus();
    if (suggested) box.current.select();
    else box.current.setSelectionRange(draft.length, draft.length);
  }, [caret]);

  const replies = draft === shut ? [] : matching(state.me.site.replies ?? [], asked(draft));
  const chosen = Math.min(at, replies.length - 1);

  const insert = (reply) => {
    ctx.desk.type(cid, words(reply, data.card?.language));
    setAt(0);
    box.current.focus();
  };

  /** The keys of the offered replies; false for all others. */
  const choosing = ({ key }) => {
    const step = { ArrowDown: 1, ArrowUp: replies.length - 1 }[key];
    if (step) setAt((chosen + step) % replies.length);
    else if (key === "Enter" || key === "Tab") insert(replies[chosen]);
    else if (key === "Escape") setShut(draft);
    else return false;
    return true;
  };

  const key = (event) => {
    if (replies.length && !composes(event) && !event.shiftKey && !event.ctrlKey && !event.metaKey && choosing(event)) return event.preventDefault();
    if (!sends(event, settings().send)) return;
    event.preventDefault();
    ctx.desk.say(cid);
  };
  const submit = (event) => {
    event.preventDefault();
    ctx.desk.say(cid);
    box.current.focus();
  };
  const hint = suggested ? "suggested" : data.shopper_present === false ? "away_hint" : `reply_hint_${settings().send}`;

  return html`
    <form class="composer" onSubmit=${submit}>
      ${replies.length > 0 && html`
        <ul class="replies" id="replies" role="listbox" aria-label=${ctx.say("replies")}>
          ${replies.map((reply, n) => html`
            <li key=${reply.id} id=${`reply-${reply.id}`} role="option" aria-selected=${n === chosen} class=${n === chosen ? "chosen" : ""}
              onMouseDown=${(event) => event.preventDefault()} onClick=${() => insert(reply)}>
              <strong>/${reply.id}</strong> <span class="dim">${words(reply, data.card?.language)}</span></li>`)}
        </ul>`}
      <label class="hidden" for="reply">${ctx.say("reply")}</label>
      <textarea id="reply" ref=${box} rows="2" maxlength=${MOST_CHARS} value=${draft} placeholder=${ctx.say("reply")} aria-describedby="reply-hint"
        aria-autocomplete="list" aria-controls=${replies.length ? "replies" : null} aria-activedescendant=${replies.length ? `reply-${replies[chosen].id}` : null}
        onInput=${(event) => ctx.desk.type(cid, event.target.value)} onKeyDown=${key}></textarea>
      <div class="composer-foot">
        <p class="dim small-text" id="reply-hint">${ctx.say(hint)}${left < TELL_CHARS ? html` · ${ctx.say("chars_left", { n: left })}` : null}</p>
        ${state.me.site.cards?.length > 0 && html`
          <button type="button" onClick=${() => ctx.dispatch("dialog", { dialog: { kind: "card", cid } })}>${ctx.say("card")}</button>`}
        <button class="primary" disabled=${!draft.trim()}>${ctx.say("send")}</button>
      </div>
    </form>
  `;
}
