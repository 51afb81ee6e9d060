// Budgets: how much is used up, and more of it.

import { every, get, send, session } from "./api.js";
import { again, bar, bytes, clock, day, fill, h, number, open, span } from "./dom.js";

const amount = (b, n) => (b.unit === "bytes" ? bytes(n) : n < 0 ? "0 s" : span(n));
// until writes when something ends: the time of today or tomorrow, else the day.
const until = (t) => (Date.parse(t) - Date.now() < 86400e3 ? clock(t).slice(0, 5) : day(t));
const factors = { bytes: { MB: 1e6, GB: 1e9 }, seconds: { minutes: 60, hours: 3600 } };

export const quotas = {
  title: "Quotas",
  begin(body, query, signal, failed) {
    const cards = h("div", { class: "budgets" }), count = h("span", { class: "note", role: "status" });
    const search = h("input", { type: "search", placeholder: "Search: name, plan", "aria-label": "Search", value: query.get("search") || "" });
    let all = [];
    search.addEventListener("input", draw);
    fill(body, h("div", { class: "head" }, h("h1", {}, "Quotas"), count, h("span", { class: "grow" }), h("div", { class: "controls" }, search)), cards);

    const path = (b, what) => `/v1/quotas/${encodeURIComponent(b.kind)}/${encodeURIComponent(b.name)}/${what}`;
    async function change(b, what, more) {
      try { await send("POST", path(b, what), { plan: b.plan, ...more }); await load(signal); failed(null); } catch (e) { failed(e); }
    }

    function topUp(b) {
      const n = h("input", { type: "number", min: "1", step: "any", value: b.unit === "bytes" ? "500" : "30", required: true, id: "amount" });
      const unit = h("select", { id: "unit" }, Object.keys(factors[b.unit]).map((u) => h("option", { value: u }, u)));
      open(`More for ${b.kind} ${b.name}`, (close) => h("form", {
        method: "dialog", class: "form", onsubmit: (e) => {
          e.preventDefault();
          close();
          change(b, "top-up", { amount: Math.round(n.valueAsNumber * factors[b.unit][unit.value]), unit: b.unit });
        },
      }, h("div", { class: "fields" }, h("label", {}, "Amount", n), h("label", {}, "Unit", unit)),
      h("div", { class: "controls" }, h("button", { type: "button", onclick: close }, "Cancel"), h("button", { class: "primary", id: "more" }, "Top up"))));
    }

    function reset(b) {
      open(`Begin the period of ${b.kind} ${b.name} anew?`, h("p", {}, `Nothing of plan ${b.plan} is used up then.`), (close) => h("div", { class: "controls" },
        h("button", { type: "button", onclick: close }, "Cancel"), h("button", { type: "button", class: "primary", onclick: () => { close(); change(b, "reset"); } }, "Reset")));
    }

    function draw() {
      const text = search.value.trim().toLowerCase();
      const shown = all.filter((b) => [b.kind, b.name, b.plan].join(" ").toLowerCase().includes(text));
      fill(count, number(shown.length) + (text ? " found" : ""));
      again(cards, shown.slice(0, 300).map((b) => {
        const part = b.size > 0 ? b.used / b.size : b.used > 0 ? 1 : 0;
        const kind = b.exceeded || b.remaining <= 0 ? "bad" : part > 0.8 ? "warn" : "";
        return h("section", { class: "card budget", "aria-label": `${b.kind} ${b.name}, plan ${b.plan}` },
          h("div", { class: "line" }, h("b", { title: b.name }, b.name), h("span", { class: "soft" }, b.kind)),
          h("div", { class: "line" }, h("span", {}, b.plan, b.granted ? h("span", { class: "soft" }, " (own size)") : null),
            kind === "bad" ? h("span", { class: "badge bad" }, "used up: " + b.then) : kind === "warn" ? h("span", { class: "badge warn" }, "nearly") : null),
          bar(Math.min(b.used, b.size || 1), b.size || 1, "wide " + kind),
          h("div", { class: "line" }, h("span", {}, `${amount(b, b.used)} of ${amount(b, b.size)}`), h("span", { class: "soft" }, b.end ? "until " + until(b.end) : "no end")),
          session.write ? h("div", { class: "controls" },
            h("button", { type: "button", "data-row": "t" + b.kind + b.name + b.plan, onclick: () => topUp(b) }, "Top up"),
            h("button", { type: "button", "data-row": "r" + b.kind + b.name + b.plan, onclick: () => reset(b) }, "Reset")) : null);
      }));
      if (!shown.length) fill(cards, h("p", { class: "note" }, all.length ? "There is nothing like that." : "There are no budgets: [[plan]] in dictd.toml makes them."));
      if (shown.length > 300) cards.append(h("p", { class: "note" }, "These are the first 300."));
    }

    async function load(s) {
      all = await get("/v1/quotas", {}, s);
      if (s.aborted) return;
      draw();
      body.dataset.ready = "1";
    }
    every(4000, load, signal, failed);
  },
};
