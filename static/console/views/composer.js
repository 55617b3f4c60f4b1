// The reply box.

import { html, useLayoutEffect, useRef } from "../lib.js";

const MOST_CHARS = 2000;
const TELL_CHARS = 200; // how many are left is said from here on
const COMPOSING = 229; // the key code while an input method composes, also where `isComposing` is already false

/** `caret` grows when the agent has opened this talk: only then does the box take the focus. */
export function Composer({ ctx, talk, caret }) {
  const box = useRef();
  const { cid, draft, suggested, data } = talk;
  const left = MOST_CHARS - draft.length;

  useLayoutEffect(() => {
    if (!caret) return;
    box.current.focus();
    if (suggested) box.current.select();
    else box.current.setSelectionRange(draft.length, draft.length);
  }, [caret]);

  const key = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === COMPOSING) return;
    event.preventDefault();
    ctx.desk.say(cid);
  };
  const submit = (event) => {
    event.preventDefault();
    ctx.desk.say(cid);
    box.current.focus();
  };
  const hint = suggested ? "suggested" : data.shopper_present === false ? "away_hint" : "reply_hint";

  return html`
    <form class="composer" onSubmit=${submit}>
      <label class="hidden" for="reply">${ctx.say("reply")}</label>
      <textarea id="reply" ref=${box} rows="2" maxlength=${MOST_CHARS} value=${draft} placeholder=${ctx.say("reply")} aria-describedby="reply-hint"
        onInput=${(event) => ctx.desk.type(cid, event.target.value)} onKeyDown=${key}></textarea>
      <div class="composer-foot">
        <p class="dim small-text" id="reply-hint">${ctx.say(hint)}${left < TELL_CHARS ? html` · ${ctx.say("chars_left", { n: left })}` : null}</p>
        <button class="primary" disabled=${!draft.trim()}>${ctx.say("send")}</button>
      </div>
    </form>
  `;
}
