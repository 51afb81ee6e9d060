// What the dictionaries hold, as rules see it.

import { every, get, part } from "./api.js";
import { fill, h, number, span } from "./dom.js";

const size = 50; // rows of a page

const written = (v) => (v !== null && typeof v === "object" ? String(v.value) : String(v));

export const tables = {
  title: "Dictionaries",
  begin(body, query, signal, failed) {
    let name = query.get("table") || "", skip = 0, fields = [];
    const which = h("select", { "aria-label": "Dictionary" });
    const search = h("input", { type: "search", placeholder: "Search in rows", "aria-label": "Search", value: query.get("search") || "" });
    const count = h("span", { class: "note", role: "status" }), rows = h("tbody"), about = h("p", { class: "note" });
    const back = h("button", { type: "button", onclick: () => turn(-size) }, "Back"), on = h("button", { type: "button", onclick: () => turn(size) }, "Next");
    fill(body, h("div", { class: "head" }, h("h1", {}, "Dictionaries"), count, h("span", { class: "grow" }), h("div", { class: "controls" }, which, search)), about,
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows" }, h("table", { class: "rows" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col", width: "22%" }, "Key"), h("th", { scope: "col" }, "Fields"))), rows)),
      h("div", { class: "controls" }, back, on));
    const refresh = () => load(signal).then(() => failed(null), (e) => { if (!signal.aborted) failed(e); });
    const turn = (by) => { skip = Math.max(0, skip + by); refresh(); };
    which.addEventListener("change", () => { name = which.value; skip = 0; refresh(); });
    let due = 0;
    search.addEventListener("input", () => { clearTimeout(due); skip = 0; due = setTimeout(refresh, 200); });

    async function load(s) {
      const all = await get("/v1/tables", {}, s);
      if (s.aborted) return;
      if (!all.some((t) => t.table.name === name)) name = all.find((t) => t.stats.rows > 0 && t.table.name !== "sessions")?.table.name || all[0]?.table.name || "";
      if (document.activeElement !== which) {
        fill(which, all.map((t) => h("option", { value: t.table.name, selected: t.table.name === name }, `${t.table.name} (${number(t.stats.rows)})`)));
        which.value = name;
      }
      const one = all.find((t) => t.table.name === name);
      if (!one) { fill(rows); return; }
      fields = one.table.fields || [];
      const p = await part(`/v1/tables/${encodeURIComponent(name)}/rows`, { search: search.value.trim(), skip, limit: size }, s);
      if (s.aborted) return;
      fill(about, `Key ${one.table.key || "of any kind"}, ${fields.length} fields, ${number(one.stats.rows)} of ${number(one.stats.limit)} rows`, one.stats.refused ? `, ${number(one.stats.refused)} found no place` : "");
      fill(count, p.total ? `${number(skip + 1)} to ${number(skip + p.list.length)} of ${number(p.total)}` : "no rows");
      back.disabled = skip === 0;
      on.disabled = skip + p.list.length >= p.total;
      fill(rows, p.list.map((r) => h("tr", { class: "tall" },
        h("td", { class: "free" }, h("b", {}, String(r.key)), r.ttl ? h("span", { class: "soft" }, " " + span(r.ttl)) : null),
        h("td", { class: "free" }, Object.entries(r.cells).map(([k, v]) => h("span", { class: "cell" }, h("b", {}, k + " "), written(v)))))));
      if (!p.list.length) fill(rows, h("tr", {}, h("td", { colspan: 2, class: "empty" }, "There is no such row.")));
      body.dataset.ready = "1";
    }
    every(5000, load, signal, failed);
  },
};
