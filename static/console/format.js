// Moments, spans, money and languages as people read them, in the console's language. Null stays null: unknown.

const LOCALES = { en: "en-GB", ja: "ja-JP" };

/** 14:05, or 14:05:09 with seconds. */
export function clock(language, at_ms, seconds = false) {
  if (!Number.isFinite(at_ms)) return null;
  const options = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (seconds) options.second = "2-digit";
  return new Date(at_ms).toLocaleTimeString(LOCALES[language], options);
}

export function day(language, at_ms) {
  return new Date(at_ms).toLocaleDateString(LOCALES[language], { weekday: "short", month: "short", day: "numeric" });
}

/** A span of time in its two largest useful parts: 8 s, 2 min 5 s, 1 h 3 min. */
export function span(language, ms) {
  if (!Number.isFinite(ms)) return null;
  const s = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (language === "ja") {
    if (hours) return `${hours}時間${minutes}分`;
    return minutes ? `${minutes}分${seconds}秒` : `${seconds}秒`;
  }
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${seconds} s` : `${seconds} s`;
}

/** 0:25 */
export function countdown(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** An amount in major units; a currency nobody knows is written out beside the number. */
export function money(language, value, currency) {
  if (!Number.isFinite(value)) return null;
  try {
    return new Intl.NumberFormat(LOCALES[language], { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(value);
  } catch {
    return `${value} ${currency ?? ""}`.trim();
  }
}

/** A language's name in the console's language; a code nobody knows stays as it is. */
export function languageName(language, code) {
  if (!code) return null;
  try {
    return new Intl.DisplayNames([LOCALES[language]], { type: "language" }).of(code);
  } catch {
    return String(code);
  }
}
