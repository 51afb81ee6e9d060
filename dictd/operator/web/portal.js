// Who is in by the captive portal, and the vouchers for it.

import { every, get, send, session } from "./api.js";
import { again, ago, bytes, day, fill, h, moment, number, open, pick, span } from "./dom.js";

const most = 300; // of a list

const left = (s) => [s.until ? span((Date.parse(s.until) - Date.now()) / 1000) : "", s.bytes_left !== undefined ? bytes(Math.max(0, s.bytes_left)) : ""].filter(Boolean).join(", ") || "no bound";
const table = (titles, classes, rows, none) => h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "List" }, h("table", { class: "rows" },
  h("thead", {}, h("tr", {}, titles.map((t, i) => h("th", { scope: "col", class: classes[i] }, t)))),
  h("tbody", {}, rows.length ? rows.map((r) => h("tr", {}, r.map((c, i) => h("td", { class: classes[i] }, c)))) : h("tr", {}, h("td", { colspan: titles.length, class: "empty" }, none)))));

// sure asks before something is done that cannot be undone.
function sure(title, text, word, then) {
  open(title, h("p", {}, text), (close) => h("div", { class: "controls" }, h("button", { type: "button", onclick: close }, "Cancel"),
    h("button", { type: "button", class: "primary", onclick: () => { close(); then(); } }, word)));
}

// made shows the codes of a batch, which nobody tells again.
function made(batch) {
  const csv = "number,code\r\n" + batch.vouchers.map((v) => `${v.number},${v.code}\r\n`).join("");
  const url = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  const codes = h("dl", { id: "codes" }, batch.vouchers.map((v) => [h("dt", {}, v.number), h("dd", { class: "secret" }, v.code)]));
  open("Vouchers of " + batch.name, h("p", {}, "These codes are told this once: keep them now."), codes, (close) => h("div", { class: "controls" },
    h("a", { href: url, download: "vouchers.csv" }, "Save as CSV"), h("button", { type: "button", onclick: () => print() }, "Print"), h("button", { type: "button", onclick: close }, "Close")));
}

export const portal = {
  title: "Portal",
  begin(body, query, signal, failed) {
    let show = ["sessions", "vouchers", "accounts"].includes(query.get("show")) ? query.get("show") : "sessions";
    const tiles = h("dl", { class: "tiles" }), content = h("div"), note = h("p", { class: "note", hidden: true });
    const more = h("button", { type: "button", class: "primary", id: "make", hidden: true, onclick: make }, "Make vouchers");
    fill(body, h("div", { class: "head" }, h("h1", {}, "Portal"), h("span", { class: "grow" }), h("div", { class: "controls" },
      pick("What", [["sessions", "Sessions"], ["vouchers", "Vouchers"], ["accounts", "Accounts"]], show, (v) => { show = v; refresh(); }), more)), note, tiles, content);
    const refresh = () => load(signal).then(() => failed(null), (e) => { if (!signal.aborted) failed(e); });
    const change = (method, path, data) => send(method, path, data).then((r) => { refresh(); return r; }, failed);

    function make() {
      const input = (id, label, more) => h("label", {}, label, h("input", { id, name: id, ...more }));
      const value = (form, id) => form.elements[id].value;
      open("Make vouchers", (close) => h("form", {
        class: "form", onsubmit: async (e) => {
          e.preventDefault();
          const form = e.currentTarget, hours = Number(value(form, "hours")), volume = Number(value(form, "megabytes"));
          const one = { name: value(form, "batch"), count: Number(value(form, "count")), prefix: value(form, "prefix") || undefined, devices: Number(value(form, "devices")) || undefined };
          if (hours > 0) one.time = Math.round(hours * 3600);
          if (volume > 0) one.bytes = Math.round(volume * 1e6);
          close();
          const batch = await change("POST", "/v1/portal/batches", one);
          if (batch) made(batch);
        },
      }, h("div", { class: "fields" },
        input("batch", "Name of the batch", { required: true, maxlength: 64, value: "batch " + day(Date.now()) }), input("count", "How many", { type: "number", min: 1, max: 10000, required: true, value: "10" }),
        input("hours", "Hours from the first use (empty: no bound)", { type: "number", min: 0, step: "any", value: "24" }), input("megabytes", "Megabytes (empty: no bound)", { type: "number", min: 0, step: "any" }),
        input("devices", "Devices at a time (empty: as configured)", { type: "number", min: 1 }), input("prefix", "Prefix of the codes", { maxlength: 8, pattern: "[A-Za-z0-9]*" })),
      h("div", { class: "controls" }, h("button", { type: "button", onclick: close }, "Cancel"), h("button", { class: "primary", id: "made" }, "Make"))));
    }

    async function vouchers(b) {
      const list = h("div", {}, "…");
      open("Vouchers of " + b.name, list, (close) => h("div", { class: "controls" }, h("button", { type: "button", onclick: close, autofocus: true }, "Close")));
      try {
        const all = await get(`/v1/portal/batches/${encodeURIComponent(b.name)}/vouchers`, { limit: most });
        fill(list, table(["Number", "State", "First used", "Left", ""], ["", "right", "", "wide", "right"], all.map((v) => [
          "voucher-" + v.number, h("span", { class: "badge" + ({ new: " good", used: "" }[v.state] ?? " bad") }, v.state.replace("_", " ")),
          v.first ? moment(v.first) : "–", v.state === "used" ? left(v) : "",
          session.write && (v.state === "new" || v.state === "used") ? h("button", { type: "button", class: "bare", onclick: (e) => { e.currentTarget.disabled = true; change("POST", `/v1/portal/vouchers/${v.number}/revoke`).then(() => fill(e.target, "revoked")); } }, "Revoke") : ""]), "There are none."));
      } catch (e) { fill(list, e.message); }
    }

    const lists = {
      async sessions(s) {
        const all = await get("/v1/portal/sessions", { limit: most }, s);
        return table(["User", "Left", "Device", "Way", "Address", "Since", ""], ["", "right", "", "right", "wide", "wide", "right wide"], all.map((p) => [
          p.username, left(p), p.mac_address, p.way, p.address, ago(p.since),
          session.write ? h("button", { type: "button", class: "bare", "data-row": p.id, onclick: () => sure(`End the session of ${p.username}?`, `Device ${p.mac_address} has to log in again.`, "End it", () => change("DELETE", "/v1/portal/sessions/" + encodeURIComponent(p.id))) }, "End") : ""]), "Nobody is in.");
      },
      async vouchers(s) {
        const all = await get("/v1/portal/batches", { limit: most }, s);
        return table(["Batch", "Vouchers", "Each has", "Made", ""], ["", "right", "", "wide", "right"], all.map((b) => [
          h("button", { type: "button", class: "bare", "data-row": "b" + b.name, onclick: () => vouchers(b) }, b.name), number(b.count),
          [b.time ? span(b.time) : "", b.bytes ? bytes(b.bytes) : ""].filter(Boolean).join(", ") || "no bound", moment(b.created),
          session.write ? h("button", { type: "button", class: "bare", "data-row": "r" + b.name, onclick: () => sure(`Revoke all vouchers of ${b.name}?`, "Who is in by one of them is out at once.", "Revoke", () => change("POST", `/v1/portal/batches/${encodeURIComponent(b.name)}/revoke`)) }, "Revoke") : ""]), "There are no vouchers.");
      },
      async accounts(s) {
        const all = await get("/v1/portal/accounts", { limit: most }, s);
        return table(["Name", "Groups", "Devices", "Until", "Made"], ["", "right", "", "wide", "wide"], all.map((a) => [
          a.name, a.usergroups.join(", ") || "–", a.devices > 0 ? number(a.devices) : a.devices < 0 ? "no bound" : "as configured", a.until ? moment(a.until) : "no end", moment(a.created)]),
        "There are no accounts: dictctl portal account add makes them.");
      },
    };

    async function load(s) {
      const p = await get("/v1/portal", {}, s);
      if (s.aborted) return;
      note.hidden = p.enabled && !p.warnings.length;
      tiles.hidden = content.hidden = !p.enabled;
      more.hidden = !p.enabled || show !== "vouchers" || !session.write;
      if (!p.enabled) { fill(note, "There is no portal: [portal] of dictd.toml switches it on."); body.dataset.ready = "1"; return; }
      fill(note, p.warnings.join("; "));
      const tile = (name, value, more) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value, h("small", {}, more)));
      fill(tiles, tile("In", number(p.sessions), "of " + number(p.limit)), tile("Logins", number(p.logins), number(p.ended) + " have ended"),
        tile("Refused", number(p.refused), number(p.too_fast) + " came too fast"), tile("Ways", number(p.ways.length), p.ways.join(", ")));
      const of = show, fresh = await lists[of](s);
      if (s.aborted || of !== show) return;
      again(content, fresh);
      body.dataset.ready = "1";
    }
    every(4000, load, signal, failed);
  },
};
