// Each rule as a sentence; a draft that is edited by value or as YAML, checked, published, taken back.

import { html } from "/agent/lib.js";

const FILES = [
  { part: "text", name: "rules.yaml", title: "as_yaml" },
  { part: "texts", name: "texts.yaml", title: "texts_as_yaml" },
];
const MODES = ["live", "shadow", "off"];

export function Rules({ ctx, state }) {
  const { draft, rules } = state;
  const counts = Object.fromEntries(state.funnel.rules.map((row) => [row.rule, row.treated.sessions]));
  const { text, texts } = draft;
  /** One value of a rule ("": of all rules), or one text. */
  const edit = async (rule, path, value, part = "rules") => {
    const next = await ctx.change("edit", { text, texts, part, rule, path, value });
    if (next) ctx.set({ draft: next, checked: false });
  };
  const preview = async (rule, language) => {
    const tab = window.open("about:blank"); // at once, or the browser takes it for an advertisement
    const found = await ctx.change("preview", { text, texts, rule, language, page: ctx.page() });
    if (found && tab) tab.location = found.link;
    else tab?.close();
    ctx.set({ preview: found && { rule, link: found.link } });
  };
  return html`
    <${Draft} ctx=${ctx} state=${state} />
    <ul class="rules">${draft.rules.map((rule) => html`
      <${Rule} key=${rule.id} ctx=${ctx} rule=${rule} made=${counts[rule.id] || 0} edit=${edit} preview=${preview} link=${state.preview?.rule === rule.id && state.preview.link} days=${state.days} />`)}
    </ul>
    <details class="panel"><summary>${ctx.say("for_all")}</summary><${Values} ctx=${ctx} values=${draft.common} edit=${(path, value) => edit("", path, value)} /></details>
    <section class="panel"><label class="row"><span>${ctx.say("preview_page")}</span>
      <input class="grow" type="url" value=${ctx.page()} placeholder=${location.origin} onChange=${(event) => ctx.page(event.target.value)} /></label></section>
    <${Yaml} ctx=${ctx} draft=${draft} state=${state} />
    <${History} ctx=${ctx} rules=${rules} />`;
}

function Rule({ ctx, rule, made, edit, preview, link, days }) {
  return html`
    <li class=${`panel rule ${rule.mode}`}>
      <div class="row">
        <h2 class="grow">${rule.id} <span class="dim small-text">${ctx.number(rule.priority)}</span></h2>
        <span class="dim small-text digits">${ctx.say("acted", { n: ctx.number(made), since: days === 1 ? ctx.say("day") : ctx.say("days", { n: days }) })}</span>
        <fieldset class="modes"><legend class="hidden">${ctx.say("mode")} ${rule.id}</legend>
          ${MODES.map((mode) => html`<label class=${mode === rule.mode ? "on" : ""}>
            <input type="radio" name=${`mode-${rule.id}`} checked=${mode === rule.mode} onChange=${() => edit(rule.id, ["mode"], mode)} />${ctx.say(mode)}</label>`)}
        </fieldset>
      </div>
      <p class="sentence">${rule.sentence[ctx.language]}</p>
      <details><summary>${ctx.say("edit_values")}</summary><${Values} ctx=${ctx} values=${rule.values} edit=${(path, value) => edit(rule.id, path, value)} /></details>
      ${rule.texts.length > 0 && html`<details><summary>${ctx.say("edit_texts")}</summary>
        <div class="values texts">${rule.texts.map((value) => html`
          <label key=${value.path.join()} lang=${value.path[2]}><span class="dim">${value.path.slice(1).join(" › ")}</span>
            <textarea rows=${Math.min(5, Math.ceil(value.text.length / 22))} value=${value.text} onChange=${(event) => event.target.value !== value.text && edit("", value.path, event.target.value, "texts")}></textarea></label>`)}
        </div>
        <div class="row"><span class="dim">${ctx.say("preview")}</span>
          <button class="small" lang="ja" onClick=${() => preview(rule.id, "ja")}>日本語</button>
          <button class="small" lang="en" onClick=${() => preview(rule.id, "en")}>English</button>
          ${link && html`<a class="break small-text" href=${link} target="_blank" rel="noopener">${ctx.say("preview_link")}</a>`}</div>
      </details>`}
    </li>`;
}

const JOINTS = ["when", "all", "any", "then", "defaults"];

/** Inputs for values by their paths; an empty one is what the file does not say. */
function Values({ ctx, values, edit }) {
  return html`
    <div class="values">${values.map((value) => html`
      <label key=${value.path.join()}><span class="dim">${value.path.filter((step) => typeof step === "string" && !JOINTS.includes(step)).join(" › ")}</span>
        <input value=${value.text} placeholder=${ctx.say("not_said")} onChange=${(event) => event.target.value !== value.text && edit(value.path, event.target.value)} /></label>`)}
    </div>`;
}

function Draft({ ctx, state }) {
  const { draft, rules } = state;
  if (state.told) return html`<p class="panel good" role="status">${ctx.say("published", { n: state.told })}</p>`;
  if (!differs(draft, rules)) return null;
  const publish = async (event) => {
    event.preventDefault();
    const done = await ctx.change("publish", { text: draft.text, texts: draft.texts, note: new FormData(event.target).get("note") });
    if (done) await renew(ctx, done.number);
  };
  return html`
    <form class="panel draft" onSubmit=${publish}>
      <p>${ctx.say("draft_changed")}</p>
      <${Difference} before=${rules.text} after=${draft.text} />
      <${Difference} before=${rules.texts} after=${draft.texts} />
      <${Tried} ctx=${ctx} tried=${state.tried} draft=${draft} />
      <div class="row"><button type="button" disabled=${state.tried?.busy} onClick=${() => tryOut(ctx, draft)}>${ctx.say("try_out")}</button><input class="grow" name="note" maxlength="200" placeholder=${ctx.say("note")} aria-label=${ctx.say("note")} />
        <button type="button" onClick=${() => ctx.set({ draft: rules })}>${ctx.say("discard")}</button>
        <button class="primary">${ctx.say("publish")}</button></div>
    </form>`;
}

const differs = (draft, rules) => draft.text !== rules.text || draft.texts !== rules.texts;

/** What the draft would have done lately; the answer counts only for the draft that was asked about. */
async function tryOut(ctx, draft) {
  ctx.set({ tried: { draft, busy: true } });
  const found = await ctx.change("try", { text: draft.text, texts: draft.texts });
  ctx.set({ tried: found && { draft, ...found } });
}

const made = (rule) => rule?.outcomes[rule.mode === "shadow" ? "shadow" : "made"] ?? 0;

function Tried({ ctx, tried, draft }) {
  if (!tried || tried.draft !== draft) return null;
  if (tried.busy) return html`<p class="trying" role="status"><progress aria-hidden="true"></progress> ${ctx.say("trying")}</p>`;
  const { before, after } = tried;
  const old = Object.fromEntries(before.rules.map((rule) => [rule.rule, rule]));
  const now = Object.fromEntries(after.rules.map((rule) => [rule.rule, rule]));
  return html`
    <div class="scroll" role="status"><p class="dim small-text">${ctx.say("tried_on", { n: ctx.number(after.sessions), m: ctx.number(after.events) })}</p>
      <table><thead><tr><th>${ctx.say("rule")}</th>${["acts", "moment", "busiest", "bought_anyway", "agents_at_once"].map((name) => html`<th class="num">${ctx.say(name)}</th>`)}</tr></thead>
        <tbody>${Object.keys({ ...old, ...now }).map((id) => html`
          <tr><th scope="row">${id}</th>
            <${Moved} ctx=${ctx} old=${made(old[id])} now=${made(now[id])} />
            <${Moved} ctx=${ctx} old=${old[id]?.after_s} now=${now[id]?.after_s} unit="seconds" />
            <${Moved} ctx=${ctx} old=${busiest(old[id])} now=${busiest(now[id])} unit="hour" />
            <${Moved} ctx=${ctx} old=${old[id]?.bought} now=${now[id]?.bought} />
            <${Moved} ctx=${ctx} old=${old[id]?.agents} now=${now[id]?.agents} /></tr>`)}
          <tr class="whole"><th scope="row">${ctx.say("all_of_them")}</th>
            <${Moved} ctx=${ctx} old=${sum(before)} now=${sum(after)} /><td></td><td></td><td></td>
            <${Moved} ctx=${ctx} old=${before.agents} now=${after.agents} /></tr>
        </tbody></table>
    </div>`;
}

const sum = (report) => report.rules.reduce((total, rule) => total + made(rule), 0);
const busiest = (rule) => (rule && made(rule) ? rule.hours.indexOf(Math.max(...rule.hours)) : null);

/** A figure before and after; only what differs is shown twice. */
function Moved({ ctx, old, now, unit }) {
  const told = (value) => (value === null || value === undefined ? "–" : unit ? ctx.say(unit, { n: ctx.number(value) }) : ctx.number(value));
  if (told(old) === told(now)) return html`<td class="num dim">${told(now)}</td>`;
  return html`<td class="num"><span class="dim">${told(old)} → </span><strong>${told(now)}</strong></td>`;
}

/** The rules anew, with what is in force now as the draft. */
async function renew(ctx, number) {
  const rules = await ctx.api.rules();
  ctx.set({ rules, draft: rules, told: number });
  setTimeout(() => ctx.set({ told: null }), 4000);
  ctx.refresh();
}

/** The lines that differ between the first and the last common ones: enough for the few values of a form. */
function Difference({ before, after }) {
  if (before === after) return null;
  const old = before.split("\n");
  const next = after.split("\n");
  let head = 0;
  while (head < old.length && old[head] === next[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < next.length - head && old[old.length - 1 - tail] === next[next.length - 1 - tail]) tail++;
  const gone = old.slice(head, old.length - tail);
  const come = next.slice(head, next.length - tail);
  const only = (lines, others) => lines.filter((line) => !others.includes(line));
  return html`<pre class="difference">${only(gone, come).map((line) => html`<del>- ${line}</del>`)}${only(come, gone).map((line) => html`<ins>+ ${line}</ins>`)}</pre>`;
}

function Yaml({ ctx, draft, state }) {
  const take = async (changed) => {
    const next = await ctx.change("check", { text: draft.text, texts: draft.texts, ...changed });
    ctx.set(next ? { draft: next, checked: true } : { checked: false });
  };
  return FILES.map(({ part, name, title }) => html`
    <details class="panel yaml" key=${part}><summary>${ctx.say(title)}</summary>
      <textarea id=${`yaml-${part}`} rows="24" spellcheck=${false} aria-label=${name} value=${draft[part]}></textarea>
      <div class="row">
        <button onClick=${() => take({ [part]: document.getElementById(`yaml-${part}`).value })}>${ctx.say("check")}</button>
        <a class="button" download=${name} href=${`data:text/yaml;charset=utf-8,${encodeURIComponent(draft[part])}`}>${ctx.say("export_")}</a>
        <label class="button">${ctx.say("import_")}<input class="hidden" type="file" accept=".yaml,.yml" onChange=${async (event) => {
          const [file] = event.target.files;
          if (file) take({ [part]: await file.text() });
        }} /></label>
        ${state.checked && html`<span class="good-text" role="status">${ctx.say("no_faults")}</span>`}
      </div>
    </details>`);
}

function History({ ctx, rules }) {
  const back = async (number) => {
    const done = await ctx.change("roll-back", { number });
    if (done) await renew(ctx, done.number);
  };
  return html`
    <section class="panel">
      <h2>${ctx.say("history")}</h2>
      ${rules.history.length === 0 && html`<p class="empty">${ctx.say("history_none")}</p>`}
      <ol class="history">${rules.history.map((old) => html`
        <li><span class="digits">${old.number}</span> <span class="grow break">${ctx.when(old.at)} · ${old.who}${old.note && ` · ${old.note}`}</span>
          ${old.number === rules.in_force ? html`<span class="good-text">${ctx.say("in_force")}</span>` : html`<button class="small" onClick=${() => back(old.number)}>${ctx.say("roll_back")}</button>`}</li>`)}
      </ol>
    </section>`;
}
