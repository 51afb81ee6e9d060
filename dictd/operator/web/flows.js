// Which way the packets of connections take: by all rules, by a flowtable, by the devices.

import { every, get, send, session } from "./api.js";
import { bytes, fill, h, number, open, pick, port, protocols, span } from "./dom.js";

const most = 200;
const states = { slow: ["slow", "by all rules"], software: ["software", "by a flowtable"], hardware: ["hardware", "by the devices"] };

export const flows = {
  title: "Flows",
  begin(body, query, signal, failed) {
    let state = "", sort = "bytes";
    const rows = h("tbody"), tiles = h("dl", { class: "tiles" }), note = h("p", { class: "note" });
    const user = h("input", { type: "search", placeholder: "Only of this user", "aria-label": "User", value: query.get("user") || "" });
    const refresh = () => load(signal).then(() => failed(null), (e) => { if (!signal.aborted) failed(e); });
    const titles = ["Application", "User", "Client", "Server", "Way", "Out", "In", "Age"];
    const classes = ["", "right", "wide", "", "right", "num wide", "num wide", "num wide"];
    fill(body,
      h("div", { class: "head" }, h("h1", {}, "Flows"), h("span", { class: "grow" }), h("div", { class: "controls" },
        pick("Way", [["", "All"], ["slow", "Slow"], ["software", "Software"], ["hardware", "Hardware"]], state, (v) => { state = v; refresh(); }),
        h("select", { "aria-label": "Order", onchange: (e) => { sort = e.target.value; refresh(); } },
          [["bytes", "Most bytes"], ["packets", "Most packets"], ["age", "Youngest"], ["application", "By application"], ["user", "By user"]].map(([v, t]) => h("option", { value: v }, t))),
        user,
        session.write ? h("button", { type: "button", onclick: recallAll }, "Recall all") : null)),
      tiles,
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Flows" }, h("table", { class: "rows" },
        h("thead", {}, h("tr", {}, titles.map((t, i) => h("th", { scope: "col", class: classes[i] }, t)))), rows)), note);
    user.addEventListener("change", refresh);

    function recallAll() {
      open("Take all connections out of the flowtables?", h("p", {}, "Their next packets pass by all rules. What these let pass may go back in."),
        (close) => h("div", { class: "controls" }, h("button", { type: "button", onclick: close }, "Cancel"),
          h("button", { type: "button", class: "primary", onclick: async () => { close(); try { const r = await send("POST", "/v1/recall", { kind: "all" }); fill(note, number(r.recalled) + " were taken out."); refresh(); } catch (e) { failed(e); } } }, "Recall")));
    }

    async function load(s) {
      const [list, status] = await Promise.all([get("/v1/flows", { limit: most + 1, sort, state, user: user.value.trim() }, s), get("/v1/status", {}, s)]);
      if (s.aborted) return;
      const o = status.offload;
      const tile = (name, value, more) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value, h("small", {}, more)));
      fill(tiles,
        tile("Flowtable", o.state, o.error || o.refused || (o.enabled ? o.table : "offload.enable in dictd.toml")),
        tile("Devices", number(o.devices.length), o.hardware ? "asked to carry" : "by software"),
        tile("Connections", status.ledger ? number(status.ledger.connections) : "–", "that are counted"),
        tile("Past the rules", status.ledger ? bytes(status.ledger.offloaded.original + status.ledger.offloaded.reply) : "–", "since the start"));
      const shown = list.slice(0, most);
      fill(rows, shown.map((f) => h("tr", {}, [
        [f.application || h("span", { class: "soft" }, protocols[f.ip_protocol] || "protocol " + f.ip_protocol)],
        [f.username || h("span", { class: "soft" }, "–")],
        [f.client_hostname || port(f.client_address, f.client_port)],
        [port(f.server_address, f.server_port)],
        [h("span", { class: "badge" + (f.state === "slow" ? "" : " good"), title: states[f.state]?.[1] }, states[f.state]?.[0] || f.state)],
        [bytes(f.out.bytes)], [bytes(f.in.bytes)], [span(f.age_seconds)],
      ].map((c, i) => h("td", { class: classes[i] }, c)))));
      if (!shown.length) fill(rows, h("tr", {}, h("td", { colspan: titles.length, class: "empty" }, "There is no such connection.")));
      if (list.length > most) fill(note, `These are the first ${most}.`);
      body.dataset.ready = "1";
    }
    every(3000, load, signal, failed);
  },
};
