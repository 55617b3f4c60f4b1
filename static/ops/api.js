// The calls of the shop's edge. A refusal rejects with `{error, text, status}`.

const TIMEOUT_MS = 20_000;
const TRY_MS = 70_000;

async function call(path, { body, csrf, within_ms = TIMEOUT_MS } = {}) {
  const changing = body !== undefined;
  const headers = { ...(changing && { "Content-Type": "application/json" }), ...(csrf && { "X-CSRF-Token": csrf }) };
  let response;
  try {
    response = await fetch(`/agent/api/${path}`, {
      method: changing ? "POST" : "GET",
      headers,
      body: changing ? JSON.stringify(body) : undefined,
      cache: "no-store",
      signal: AbortSignal.timeout(within_ms),
    });
  } catch {
    throw { error: "unreachable", text: "", status: 0 };
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw { error: "unreachable", text: "", ...answer, status: response.status };
  return answer;
}

export const me = () => call("me");
export const demo = () => call("demo");
export const login = (fields) => call("login", { body: fields });
export const logout = (csrf) => call("logout", { body: {}, csrf });
export const overview = () => call("ops/overview");
export const funnel = (days) => call(`ops/funnel?days=${days}`);
export const rules = () => call("ops/rules");
/** check, edit, try, publish, roll-back, kill, explain. */
export const change = (name, body, csrf) => call(`ops/${name}`, { body, csrf, within_ms: name === "try" ? TRY_MS : TIMEOUT_MS });
