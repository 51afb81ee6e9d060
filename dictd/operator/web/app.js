// The page: one view at a time, by the part of the address behind #.

import { begin, leave, session } from "./api.js";
import { fill, h } from "./dom.js";
import { now } from "./now.js";
import { sessions } from "./sessions.js";
import { flows } from "./flows.js";
import { quotas } from "./quotas.js";
import { portal } from "./portal.js";
import { tables } from "./tables.js";
import { events } from "./events.js";

const views = { now, sessions, flows, quotas, portal, tables, events };
const main = document.getElementById("main");
let running = new AbortController();

// show begins a view, and ends the one before with all that it asks for.
function show() {
  const text = location.hash.replace(/^#\/?/, "");
  const [name, query] = text.split("?");
  if (text === "main") return; // the link that skips the navigation
  const view = views[name] || now;
  running.abort();
  running = new AbortController();
  const signal = running.signal;
  document.title = view.title + " – dictd";
  for (const a of document.querySelectorAll("#nav a")) {
    if (views[a.dataset.view] === view) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
    if (views[a.dataset.view] === view) a.scrollIntoView({ block: "nearest", inline: "center" });
  }
  const problem = h("div", { class: "problem", role: "alert", hidden: true });
  const body = h("div", { class: "view", "data-view": name || "now" });
  body.style.display = "contents";
  const failed = (e) => {
    problem.hidden = !e;
    if (e) fill(problem, h("b", {}, e.message), e.remedy ? " – " + e.remedy : "");
    body.dataset.failed = e ? "1" : "";
  };
  fill(main, problem, body);
  // For who measures: when the view shows what it is about.
  new MutationObserver((_, o) => { performance.mark("shown"); o.disconnect(); }).observe(body, { attributes: true, attributeFilter: ["data-ready"] });
  view.begin(body, new URLSearchParams(query || ""), signal, failed);
}

async function start() {
  try { await begin(); } catch (e) {
    fill(main, h("p", { class: "problem" }, e.message, " ", h("a", { href: "/" }, "Try again")));
    return;
  }
  const nav = document.getElementById("nav");
  for (const [name, view] of Object.entries(views)) nav.append(h("a", { href: "#/" + name, "data-view": name }, view.title));
  fill(document.getElementById("who"), session.name + (session.write ? "" : " (may look)"));
  document.getElementById("logout").addEventListener("click", leave);
  addEventListener("hashchange", () => { show(); main.focus({ preventScroll: true }); scrollTo(0, 0); });
  show();
}

start();
