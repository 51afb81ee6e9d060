// A plot of what passed: columns over time, with parts on top of each other.

import { clock, day, fill, h, moment } from "./dom.js";

const margin = { left: 80, right: 10, top: 12, bottom: 26 };

// nice returns values for the lines of a scale from 0 to most.
function nice(most, unit) {
  if (!(most > 0)) return [0];
  const rough = (most * unit) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough) / unit;
  const all = [];
  for (let v = 0; v <= most * 1.0001; v += step) all.push(v);
  return all;
}

// ticks returns about n times at which a scale has a mark.
function ticks(from, to, n) {
  const steps = [30e3, 60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 10800e3, 21600e3, 43200e3, 86400e3, 172800e3, 604800e3];
  const step = steps.find((s) => (to - from) / s <= n) || 2592000e3;
  const zone = new Date(from).getTimezoneOffset() * 60e3; // days begin at midnight here
  const all = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) all.push(t);
  return { step, all };
}

// Plot draws samples { start, end, values: [..] } in milliseconds and units a second or
// amounts; names are those of the parts, say how a value is written.
export class Plot {
  constructor(label, write, unit) {
    this.label = label;
    this.write = write;
    this.unit = unit || 1;
    this.svg = h("svg", { role: "img", tabindex: 0, "aria-label": label });
    this.tip = h("div", { class: "tip", hidden: true });
    this.live = h("p", { class: "skip", "aria-live": "polite" });
    this.legend = h("ul", { class: "legend" });
    this.box = h("div", {}, h("div", { class: "plot" }, this.svg, this.tip), this.legend, this.live);
    this.samples = [];
    this.names = [];
    this.at = -1;
    this.svg.addEventListener("pointermove", (e) => this.point(e));
    this.svg.addEventListener("pointerleave", () => { if (document.activeElement !== this.svg) this.choose(-1); });
    this.svg.addEventListener("keydown", (e) => this.key(e));
    this.svg.addEventListener("blur", () => this.choose(-1));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.svg);
  }

  end() { this.watch.disconnect(); }

  set(samples, names, from, to) {
    const was = this.at >= 0 ? this.samples[this.at]?.start : undefined;
    Object.assign(this, { samples, names, from, to });
    this.at = was === undefined ? -1 : samples.findIndex((s) => s.start === was);
    fill(this.legend, names.map((name, i) => h("li", { title: name }, h("span", { class: "dot s" + this.color(i) }), name)));
    this.draw();
  }

  color(i) { return this.names[i] === "others" ? 7 : i % 7; }

  draw() {
    const width = this.svg.clientWidth, height = this.svg.clientHeight;
    if (!width || !height) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const sums = this.samples.map((s) => s.values.reduce((a, b) => a + b, 0));
    const most = Math.max(...sums, 1 / this.unit);
    const lines = nice(most * 1.05, this.unit);
    const top = Math.max(most * 1.05, lines[lines.length - 1]);
    const y = (v) => height - margin.bottom - ((height - margin.bottom - margin.top) * v) / top;
    const x = (t) => margin.left + ((width - margin.left - margin.right) * (t - this.from)) / (this.to - this.from);
    this.x = x;
    const parts = [];
    for (const v of lines) {
      parts.push(h("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(v), y2: y(v) }));
      parts.push(h("text", { x: margin.left - 8, y: y(v) + 4, "text-anchor": "end" }, v === 0 ? "0" : this.write(v)));
    }
    if (this.samples.length) {
      const { step, all } = ticks(this.from, this.to, Math.max(2, Math.floor(width / 110)));
      for (const t of all) {
        if (x(t) < margin.left || x(t) > width - margin.right) continue;
        const end = x(t) > width - 28 ? "end" : "middle";
        parts.push(h("line", { class: "grid", x1: x(t), x2: x(t), y1: height - margin.bottom, y2: height - margin.bottom + 4 }));
        parts.push(h("text", { x: x(t), y: height - 7, "text-anchor": end }, step >= 86400e3 ? day(t).slice(5) : clock(t).slice(0, 5)));
      }
    }
    const columns = this.names.map(() => "");
    for (const s of this.samples) {
      const left = Math.max(margin.left, x(s.start)), right = Math.min(width - margin.right, x(s.end));
      if (right <= left) continue;
      const gap = right - left > 6 ? 1 : 0;
      let below = 0;
      s.values.forEach((v, i) => {
        if (v > 0) {
          const high = y(below), low = y(below + v);
          columns[i] += `M${(left + gap).toFixed(1)} ${high.toFixed(1)}V${low.toFixed(1)}H${(right - gap + (gap ? 0 : 0.4)).toFixed(1)}V${high.toFixed(1)}Z`;
        }
        below += v;
      });
    }
    columns.forEach((d, i) => { if (d) parts.push(h("path", { class: "s" + this.color(i), d })); });
    if (!this.samples.length) parts.push(h("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "nothing has moved yet"));
    this.cursor = h("line", { class: "cursor", y1: margin.top, y2: height - margin.bottom, x1: -9, x2: -9 });
    fill(this.svg, parts, this.cursor);
    this.mark();
  }

  point(e) {
    if (!this.samples.length) return;
    const left = e.clientX - this.svg.getBoundingClientRect().left;
    let best = 0, near = Infinity;
    this.samples.forEach((s, i) => {
      const d = Math.abs(this.x((s.start + s.end) / 2) - left);
      if (d < near) { near = d; best = i; }
    });
    this.choose(best);
  }

  key(e) {
    const n = this.samples.length, at = this.at < 0 ? n : this.at;
    const to = { ArrowLeft: at - 1, ArrowRight: Math.min(at + 1, n - 1), Home: 0, End: n - 1, Escape: -1 }[e.key];
    if (to === undefined || !n) return;
    e.preventDefault();
    this.choose(Math.max(e.key === "Escape" ? -1 : 0, to));
    if (this.at >= 0) this.live.textContent = this.told();
  }

  choose(at) { this.at = at; this.mark(); }

  told() {
    const s = this.samples[this.at];
    const sum = s.values.reduce((a, b) => a + b, 0);
    return `${moment(s.start)}: ${this.write(sum)}. ` + this.names.map((n, i) => (s.values[i] > 0 ? `${n} ${this.write(s.values[i])}` : "")).filter(Boolean).join(", ");
  }

  mark() {
    const s = this.samples[this.at];
    this.tip.hidden = !s;
    if (!s || !this.cursor) { this.cursor?.setAttribute("x1", -9); this.cursor?.setAttribute("x2", -9); return; }
    const x = this.x((s.start + s.end) / 2);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    const sum = s.values.reduce((a, b) => a + b, 0);
    const order = s.values.map((v, i) => [v, i]).filter(([v]) => v > 0).sort((a, b) => b[0] - a[0]);
    const when = s.end - s.start >= 3600e3 ? (s.end - s.start > 4000e3 ? day(s.start) : moment(s.start)) : clock(s.start);
    fill(this.tip, h("table", {}, h("tr", {}, h("td", {}, h("b", {}, when)), h("td", {}, h("b", {}, this.write(sum)))),
      order.map(([v, i]) => h("tr", {}, h("td", {}, h("span", { class: "dot s" + this.color(i) }), this.names[i]), h("td", {}, this.write(v))))));
    const width = this.svg.clientWidth, tip = this.tip.offsetWidth;
    this.tip.style.left = Math.max(0, Math.min(width - tip, x > width / 2 ? x - tip - 12 : x + 12)) + "px";
  }
}
