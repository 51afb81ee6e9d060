// What happens, as it happens.

import { get, key } from "./api.js";
import { clock, fill, h, number, pick } from "./dom.js";

const most = 500;
const groups = [["", "All"], ["user-*,device-*,host-*", "Who"], ["quota-*", "Quotas"], ["portal-*", "Portal"], ["session-*,flow-*", "Sessions"], ["daemon-*,config-*", "Daemon"]];

// told writes what an event says beside its subject.
const written = (v) => (Array.isArray(v) ? v.map(written).join(", ") : v !== null && typeof v === "object" ? Object.entries(v).map(([k, one]) => `${k}: ${written(one)}`).join(", ") : String(v));
const told = (e) => Object.entries(e.data || {}).filter(([k, v]) => k !== "seen" && v !== "" && v !== null && String(v) !== e.subject && written(v) !== "")
  .map(([k, v]) => h("span", { class: "cell" }, h("span", { class: "key" }, k.replaceAll("_", " ") + " "), written(v)));

export const events = {
  title: "Events",
  begin(body, query, signal, failed) {
    let kind = "", held = [], paused = false, stream = null, n = 0;
    const log = h("ol", { class: "log", "aria-live": "off" }), count = h("span", { class: "note", role: "status" });
    const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => { paused = !paused; pause.setAttribute("aria-pressed", String(paused)); pause.textContent = paused ? "Go on" : "Pause"; if (!paused) flush(); } }, "Pause");
    fill(body, h("div", { class: "head" }, h("h1", {}, "Events"), count, h("span", { class: "grow" }),
      h("div", { class: "controls" }, pick("Kind", groups, kind, (v) => { kind = v; follow(); }), pause)),
    h("div", { class: "scroll fill", tabindex: 0, role: "region", "aria-label": "Events" }, log));

    function flush() {
      if (paused || !held.length) return;
      log.prepend(...held.slice(-most).reverse().map((e) => h("li", {}, h("span", { class: "soft" }, clock(e.time)), h("b", {}, e.kind), h("span", { class: "data" }, h("b", { class: "cell" }, e.subject), told(e)))));
      held = [];
      while (log.children.length > most) log.lastChild.remove();
      fill(count, number(n) + " since the page was opened");
    }

    function follow() {
      stream?.close();
      held = [];
      n = 0;
      fill(log);
      fill(count, "listening");
      stream = new EventSource("/v1/events?after=0&key=" + key + (kind ? "&kind=" + encodeURIComponent(kind) : ""));
      stream.onopen = () => { failed(null); setTimeout(() => { flush(); body.dataset.ready = "1"; }, 100); };
      stream.onerror = () => {
        if (stream.readyState !== EventSource.CLOSED) { failed(Object.assign(new Error("the stream of events broke off"), { remedy: "it is tried again" })); return; }
        // An answer that is no stream: no such kinds in this dictd, or nobody logged in.
        get("/session").catch(() => {}); // which leads there
        fill(count, "this dictd tells nothing of that kind");
      };
      for (const name of names) stream.addEventListener(name, (e) => { n++; held.push(JSON.parse(e.data)); if (held.length > 4 * most) held = held.slice(-most); });
    }
    const timer = setInterval(flush, 250);
    signal.addEventListener("abort", () => { clearInterval(timer); stream?.close(); });
    follow();
  },
};

// Browsers want to be told which kinds they listen to.
const names = ["gap", "reset", "daemon-start", "config-reloaded", "config-refused", "user-new", "user-changed", "user-gone", "user-bound", "user-unbound",
  "quota-warning", "quota-exceeded", "quota-reset", "quota-topup", "host-new", "host-changed", "host-gone", "device-new", "device-changed", "device-gone",
  "session-final", "session-end", "flow-offload", "flow-recall", "portal-login", "portal-logout", "portal-refused"];
