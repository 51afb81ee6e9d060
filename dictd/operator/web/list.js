// A table of as many rows as there are, of which only those exist that are to be seen.

import { every, part } from "./api.js";
import { again, h } from "./dom.js";

const ahead = 30; // rows that are asked for beside those to be seen

// columns are { title, sort, class, of: (row) => children }. ask returns the parameters
// of what is listed; found is told how many there are.
export function list(path, columns, ask, signal, failed, found) {
  const top = h("tr", { class: "spacer", "aria-hidden": "true" }, h("td", { colspan: columns.length }));
  const below = h("tr", { class: "spacer", "aria-hidden": "true" }, h("td", { colspan: columns.length }));
  const body = h("tbody");
  const heads = columns.map((c) => h("th", { class: c.class, scope: "col", width: c.width },
    c.sort ? h("button", { type: "button", class: "bare", "data-sort": c.sort, onclick: () => sortBy(c.sort) }, c.title) : c.title));
  const table = h("table", { class: "rows" }, h("thead", {}, h("tr", {}, heads)), body);
  const empty = h("p", { class: "empty", hidden: true }, "There is nothing like that.");
  const box = h("div", { class: "scroll fill", tabindex: 0, role: "region", "aria-label": "List" }, table, empty);
  let sort = "", total = 0, skip = 0, rows = [], due = 0;

  function sortBy(name) {
    sort = name;
    box.scrollTop = 0;
    heads.forEach((th, i) => {
      if (columns[i].sort === sort) th.setAttribute("aria-sort", "ascending");
      else th.removeAttribute("aria-sort");
    });
    refresh();
  }

  const height = () => parseFloat(getComputedStyle(box).getPropertyValue("--row")) || 40;
  const seen = () => {
    const row = height();
    return { first: Math.max(0, Math.floor(box.scrollTop / row)), count: Math.ceil(box.clientHeight / row) + 1 };
  };

  function draw() {
    const row = height();
    top.firstChild.style.height = skip * row + "px";
    below.firstChild.style.height = Math.max(0, total - skip - rows.length) * row + "px";
    again(body, top, rows.map((r, i) => h("tr", { "aria-rowindex": skip + i + 2 }, columns.map((c) => h("td", { class: c.class }, c.of(r))))), below);
    table.setAttribute("aria-rowcount", total + 1);
    empty.hidden = total > 0;
    found(total);
    box.dataset.skip = skip;
    box.dataset.total = total;
  }

  let asked = null;
  async function load(s) {
    const { first, count } = seen();
    const from = Math.max(0, first - ahead);
    const parameters = { ...ask(), sort: sort || ask().sort, skip: from, limit: count + 2 * ahead };
    asked?.abort();
    asked = new AbortController();
    const stop = () => asked.abort();
    s.addEventListener("abort", stop, { once: true });
    const mine = asked;
    try {
      const p = await part(path, parameters, mine.signal);
      if (mine.signal.aborted) return;
      ({ list: rows, total } = p);
      skip = rows.length ? from : 0;
      draw();
    } catch (e) {
      if (e.name !== "AbortError" || s.aborted) throw e; // another load has taken its place
    } finally { s.removeEventListener("abort", stop); }
  }

  const refresh = () => load(signal).then(() => failed(null), (e) => { if (!signal.aborted && e.name !== "AbortError") failed(e); });

  box.addEventListener("scroll", () => {
    const { first, count } = seen();
    if (first >= skip && first + count <= skip + rows.length || first >= skip && skip + rows.length === total) return;
    clearTimeout(due);
    due = setTimeout(refresh, 60);
  }, { passive: true });
  const resized = new ResizeObserver(() => { if (rows.length) { draw(); } });
  resized.observe(box);
  signal.addEventListener("abort", () => resized.disconnect());
  every(3000, load, signal, failed);
  return { box, refresh: () => { box.scrollTop = 0; return refresh(); } };
}
