// What lives and moves: figures, and who and what moves most, now and in the last days.

import { every, get } from "./api.js";
import { bar, bits, bytes, fill, h, number, pick, span } from "./dom.js";
import { Plot } from "./plot.js";

const ranges = {
  minutes: { period: "recent", text: "10 minutes", long: 600e3, every: 2000 },
  day: { period: "hour", text: "24 hours", long: 86400e3, every: 30000 },
  month: { period: "day", text: "30 days", long: 30 * 86400e3, every: 60000 },
};
const kinds = { application: "Applications", user: "Users", host: "Hosts", device: "Devices" };
const nameless = { application: "not known yet", user: "nobody known", host: "others", device: "others" };
const most = 7; // names of a plot

const sumOf = (u) => u.in.bytes + u.out.bytes;

// rank sums the periods up, the most first.
function rank(periods) {
  const all = new Map();
  for (const p of periods) {
    for (const u of p.uses) {
      const one = all.get(u.name) || { name: u.name, hostname: u.hostname, in: 0, out: 0, sum: 0 };
      one.in += u.in.bytes;
      one.out += u.out.bytes;
      one.sum += sumOf(u);
      all.set(u.name, one);
    }
  }
  return [...all.values()].sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1));
}

const title = (one, kind) => (one.name === "" ? nameless[kind] : one.hostname ? `${one.hostname} (${one.name})` : one.name);

export const now = {
  title: "Now",
  begin(body, query, signal, failed) {
    let range = ranges[query.get("range")] ? query.get("range") : "minutes", kind = kinds[query.get("by")] ? query.get("by") : "application";
    const tiles = h("dl", { class: "tiles" }), warnings = h("div", { hidden: true });
    const plot = new Plot("Traffic over time; the arrow keys go through it", (v) => (range === "minutes" ? bits(v) : bytes(v)), 1);
    const lists = { application: h("ol", { class: "ranks" }), user: h("ol", { class: "ranks" }), host: h("ol", { class: "ranks" }) };
    let round = new AbortController();
    signal.addEventListener("abort", () => { round.abort(); plot.end(); });

    const again = () => {
      round.abort();
      round = new AbortController();
      every(ranges[range].every, refresh, round.signal, failed);
    };
    fill(body,
      h("div", { class: "head" }, h("h1", {}, "Now"), h("span", { class: "grow" }),
        pick("Time", Object.entries(ranges).map(([k, r]) => [k, r.text]), range, (v) => { range = v; again(); }),
        pick("By", [["application", "By application"], ["user", "By user"]], kind, (v) => { kind = v; again(); })),
      warnings, tiles,
      h("section", { class: "card", "aria-label": "Traffic" }, h("h2", {}, "Traffic through the gateway"), plot.box),
      h("div", { class: "pair" },
        h("section", { class: "card" }, h("h2", {}, "Top applications"), lists.application),
        h("section", { class: "card" }, h("h2", {}, "Top users"), lists.user)),
      h("section", { class: "card" }, h("h2", {}, "Top hosts"), lists.host));

    function draw(periods) {
      const r = ranges[range];
      const top = rank(periods).slice(0, most).map((o) => o.name);
      const rest = periods.some((p) => sumOf(p.total) > p.uses.filter((u) => top.includes(u.name)).reduce((a, u) => a + sumOf(u), 0));
      const names = top.map((n) => title(rank(periods).find((o) => o.name === n), kind)).concat(rest ? ["others"] : []);
      const samples = periods.map((p) => {
        const start = Date.parse(p.start), end = Date.parse(p.end), by = r.period === "recent" ? Math.max(0.1, (end - start) / 1000) : 1;
        const values = top.map((n) => sumOf(p.uses.find((u) => u.name === n) || { in: { bytes: 0 }, out: { bytes: 0 } }) / by);
        if (rest) values.push(Math.max(0, sumOf(p.total) / by - values.reduce((a, b) => a + b, 0)));
        return { start, end, values };
      });
      const last = r.period === "recent" && samples.length ? samples[samples.length - 1].end : Math.max(Date.now(), samples.length && r.period !== "recent" ? samples[samples.length - 1].end : 0);
      plot.set(samples, names, last - r.long, last);
    }

    function list(into, all, of) {
      const r = ranges[range], top = all[0]?.sum || 0;
      const seconds = r.period === "recent" ? r.long / 1000 : 0;
      fill(into, all.length ? all.slice(0, 10).map((o) => h("li", {},
        h("span", { class: "name", title: title(o, of) }, title(o, of)),
        h("span", { class: "amount", title: `in ${bytes(o.in)}, out ${bytes(o.out)}` }, bytes(o.sum)), bar(o.sum, top))) : h("li", { class: "soft" }, seconds ? "nothing moved in the last ten minutes" : "nothing moved"));
    }

    async function refresh(s) {
      const r = ranges[range];
      const since = new Date(Date.now() - r.long - (r.period === "recent" ? 10e3 : r.long / 24)).toISOString().replace(/\.\d+/, "");
      const usage = (by, limit) => get("/v1/usage", { by, period: r.period, since, limit }, s).catch((e) => { if (e.status === 404) return null; throw e; });
      const [status, app, user, host] = await Promise.all([get("/v1/status", {}, s), usage("application", 20), usage("user", 20), usage("host", 20)]);
      if (s.aborted) return;
      figures(status, r.period === "recent" ? app : null);
      if (!app) { fill(plot.box, h("p", { class: "note" }, "No ledger is kept (ledger.period in dictd.toml), so nothing is known of what moves.")); return; }
      draw(kind === "user" ? user : app);
      list(lists.application, rank(app), "application");
      list(lists.user, rank(user).filter((o) => o.name !== ""), "user");
      list(lists.host, rank(host).filter((o) => o.name !== ""), "host");
      body.dataset.ready = "1";
    }

    function figures(status, recent) {
      const tile = (name, value, more) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : null));
      const last = recent?.length ? recent[recent.length - 1] : null;
      const seconds = last ? Math.max(0.1, (Date.parse(last.end) - Date.parse(last.start)) / 1000) : 1;
      fill(tiles,
        tile("Sessions", number(status.sessions.sessions), "of " + number(status.sessions.limit)),
        last ? tile("In", bits(last.total.in.bytes / seconds), "to who is inside") : null,
        last ? tile("Out", bits(last.total.out.bytes / seconds), "from who is inside") : null,
        tile("Hosts", number(status.identity.hosts), number(status.identity.devices) + " devices, " + number(status.identity.users) + " users"),
        tile("Flowtable", status.offload.state, status.offload.enabled ? status.offload.devices.length + " devices" : "offload.enable"),
        tile("Up", span(status.uptime_seconds), status.version + ", " + status.backend));
      const told = [...status.warnings, ...Object.entries(status.errors || {}).map(([k, v]) => k + ": " + v)];
      warnings.hidden = !told.length;
      fill(warnings, h("ul", { class: "problem mild" }, told.map((w) => h("li", {}, w))));
    }
    again();
  },
};
