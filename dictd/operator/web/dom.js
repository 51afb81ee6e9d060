// Elements, and how figures are written. Text is always text here: nothing that comes
// from the daemon is read as markup.

const svgNames = new Set(["svg", "g", "path", "rect", "line", "text", "title"]);

// h makes an element: attributes, properties that begin with "on", and children, which
// are elements or text.
export function h(name, attributes, ...children) {
  const e = svgNames.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (key === "width%") e.style.width = value + "%";
    else if (key === "value") e.value = value;
    else e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

// fill puts children in the place of those of an element.
export function fill(e, ...children) {
  e.replaceChildren(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

// bytes writes an amount of bytes as people read it.
export function bytes(n) {
  let i = 0, v = Math.abs(n);
  for (; v >= 999.5 && i < units.length - 1; i++) v /= 1000;
  return (n < 0 ? "−" : "") + (i === 0 || v >= 99.5 ? Math.round(v) : v.toFixed(v >= 9.95 ? 1 : 2)) + " " + units[i];
}

// bits writes bytes a second as bits a second, as networks are sold.
export function bits(n) {
  let v = n * 8, i = 0;
  const names = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
  for (; v >= 999.5 && i < names.length - 1; i++) v /= 1000;
  return (i === 0 || v >= 99.5 ? Math.round(v) : v.toFixed(v >= 9.95 ? 1 : 2)) + " " + names[i];
}

export const number = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

// span writes how long something is, in seconds.
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min" + (s < 600 && s % 60 ? " " + (s % 60) + " s" : "");
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h";
}

export const ago = (time) => span((Date.now() - new Date(time)) / 1000);

const two = (n) => String(n).padStart(2, "0");
export function clock(time) { const t = new Date(time); return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`; }
export function day(time) { const t = new Date(time); return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`; }
export function moment(time) { return day(time) + " " + clock(time).slice(0, 5); }

// port joins an address and a port.
export const port = (address, n) => (address.includes(":") ? `[${address}]` : address) + (n ? ":" + n : "");

export const protocols = { 1: "ICMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP", 58: "ICMPv6", 132: "SCTP" };

// bar draws how much of most something is.
export function bar(part, of, kind = "") {
  return h("div", { class: "bar " + kind }, h("i", { "width%": of > 0 ? Math.max(part > 0 ? 1 : 0, Math.min(100, (100 * part) / of)) : 0 }));
}

// again puts fresh children in the place of those of an element, and the focus where it
// was: on what has the same data-row.
export function again(e, ...children) {
  const focused = e.contains(document.activeElement) ? document.activeElement.dataset.row : undefined;
  fill(e, ...children);
  if (focused) e.querySelector(`[data-row="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

// pick is a row of buttons of which one is pressed.
export function pick(label, choices, chosen, then) {
  const box = h("div", { class: "choice", role: "group", "aria-label": label });
  for (const [value, text] of choices) {
    box.append(h("button", {
      type: "button", "aria-pressed": String(value === chosen), "data-value": value,
      onclick: (e) => { for (const b of box.children) b.setAttribute("aria-pressed", String(b === e.currentTarget)); then(value); },
    }, text));
  }
  return box;
}

// open shows a dialog with a title; what is returned closes it.
export function open(title, ...content) {
  const d = h("dialog", { "aria-label": title });
  const close = () => d.close();
  d.append(h("div", { class: "inside" }, h("h2", {}, title), content.map((c) => (typeof c === "function" ? c(close) : c))));
  d.addEventListener("close", () => { d.remove(); for (const a of d.querySelectorAll("a[href^=blob]")) URL.revokeObjectURL(a.href); });
  d.addEventListener("click", (e) => { if (e.target === d) d.close(); });
  document.getElementById("dialogs").append(d);
  d.showModal();
  return close;
}
