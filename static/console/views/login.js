// The login form.

import { html, useEffect, useRef, useState } from "../lib.js";
import * as api from "../api.js";
import { setting } from "../keep.js";
import { Status } from "./parts.js";

export function Login({ ctx, notice }) {
  const form = useRef();
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [demo, setDemo] = useState(null);

  useEffect(() => {
    api.demo().then(setDemo, () => {}); // only a demo has credentials to show
    form.current.elements[setting("site") ? "login" : "site"].focus({ preventScroll: window.top !== window });
  }, []);

  async function submit(event) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await ctx.desk.login(Object.fromEntries(new FormData(form.current)));
    } catch (refusal) {
      setBusy(false);
      setError(refusal.error);
      form.current.elements.password.select();
    }
  }

  const text = error ? ctx.sayError(error) : notice && ctx.say(notice.key);
  return html`
    <main class="login">
      <form class="login-card" ref=${form} onSubmit=${submit}>
        <p class="brand">${ctx.say("product_name")}</p>
        <h1>${ctx.say("login_title")}</h1>
        ${demo && html`<p class="hint-box">${ctx.say("demo_hint")}</p>`}
        <label>${ctx.say("site")}
          <input name="site" required autocomplete="organization" autocapitalize="off" spellcheck=${false} defaultValue=${demo?.site ?? setting("site") ?? ""} />
        </label>
        <label>${ctx.say("login")}
          <input name="login" required autocomplete="username" autocapitalize="off" spellcheck=${false} defaultValue=${demo?.login ?? ""} />
        </label>
        <label>${ctx.say("password")}
          <input name="password" type="password" required autocomplete="current-password" defaultValue=${demo?.password ?? ""} />
        </label>
        <${Status} alert>${text && html`<p class="error">${text}</p>`}<//>
        <button class="primary" disabled=${busy}>${ctx.say("log_in")}</button>
      </form>
      <button class="quiet" onClick=${ctx.switchLanguage}>${ctx.say("language_switch")}</button>
    </main>
  `;
}
