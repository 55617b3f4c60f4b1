// The few HTTP calls of docs/agents.md. A refusal rejects with `{error, text, retry, status}`.

const TIMEOUT_MS = 10_000;

async function call(path, { method = "GET", body, csrf } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (csrf) headers["X-CSRF-Token"] = csrf;
  let response;
  try {
    response = await fetch(`/agent/api/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw { error: "unreachable", retry: true, status: 0 };
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw { error: "unreachable", retry: true, ...answer, status: response.status };
  return answer;
}

export const me = () => call("me");
export const demo = () => call("demo");
export const login = (fields) => call("login", { method: "POST", body: fields });
export const ticket = (csrf) => call("ticket", { method: "POST", csrf });
export const logout = (csrf) => call("logout", { method: "POST", csrf });
