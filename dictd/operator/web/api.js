// The daemon's API, for who has logged in.

export let session = { name: "", write: false, version: "" };

// The key of the session comes with the login, behind the # of the address, and stays with
// this origin: other ports of the host get the cookie, and no key.
export const key = (() => {
  const given = /^#key=([0-9a-f]{64})$/.exec(location.hash)?.[1];
  if (given) history.replaceState(null, "", location.pathname);
  try {
    if (given) localStorage.setItem("key", given);
    return given || localStorage.getItem("key") || "";
  } catch { return given || ""; } // the browser keeps nothing: the key is this page's
})();

// A person is there while keys and pointers move; what the page asks by itself does not
// keep the session alive.
let touched = Date.now();
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, () => { touched = Date.now(); }, { passive: true, capture: true });
}
const away = () => Date.now() - touched > 60000;

// Problem is an answer that is an error, with what helps.
export class Problem extends Error {
  constructor(status, text, remedy) { super(text); this.status = status; this.remedy = remedy; }
}

async function ask(method, path, parameters, body, signal) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters || {})) if (value !== undefined && value !== "") query.set(key, value);
  const headers = { Accept: "application/json", "X-Key": key };
  if (method === "GET" && away()) headers["X-Poll"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = query.toString();
  let answer;
  try {
    answer = await fetch(path + (text ? "?" + text : ""), { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-store" });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Problem(0, "dictd does not answer", "it may be starting again; the page goes on by itself");
  }
  if (answer.status === 401) { location.assign("/login"); throw new Problem(401, "not logged in", ""); }
  if (answer.status === 204) return { answer, value: null };
  let value;
  try { value = await answer.json(); } catch { throw new Problem(answer.status, "the answer of dictd breaks off", ""); }
  if (!answer.ok) throw new Problem(answer.status, value.error || answer.statusText, value.remedy || "");
  return { answer, value };
}

export const get = async (path, parameters, signal) => (await ask("GET", path, parameters, undefined, signal)).value;

// part returns a part of a list, and of how many it is one.
export async function part(path, parameters, signal) {
  const { answer, value } = await ask("GET", path, parameters, undefined, signal);
  return { list: value, total: Number(answer.headers.get("X-Total-Count") || value.length) };
}

export const send = async (method, path, body) => (await ask(method, path, undefined, body)).value;

// begin learns who is there.
export async function begin() { session = await get("/session"); return session; }

export async function leave() {
  try {
    await send("POST", "/logout");
    localStorage.removeItem("key");
  } finally { location.assign("/login"); }
}

// every calls f at once and then again and again, so long after it is through, until the
// signal ends it. It waits while nobody sees the page.
export async function every(milliseconds, f, signal, failed) {
  while (!signal.aborted) {
    if (!document.hidden) {
      try { await f(signal); if (!signal.aborted) failed(null); } catch (e) {
        if (signal.aborted || e.name === "AbortError") return;
        if (!(e instanceof Problem)) { console.error(e); }
        failed(e);
      }
    }
    await new Promise((done) => { setTimeout(done, milliseconds); signal.addEventListener("abort", done, { once: true }); });
  }
}
