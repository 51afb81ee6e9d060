// The sessions that live, with what they are and whose.

import { get } from "./api.js";
import { ago, fill, h, moment, number, open, port, protocols } from "./dom.js";
import { list } from "./list.js";

const named = (s) => s.ssl_sni || s.server_dns_hint || s.server_reverse_dns || s.http_url || "";

const columns = [
  {
    title: "Application", sort: "application", of: (s) => [
      h("button", { type: "button", class: "bare", "data-row": s.ct_id, onclick: () => details(s) }, s.application_name || s.application || s.protocol || "not known yet"),
      s.inferred ? h("span", { class: "soft" }, " (supposed)") : null],
  },
  { title: "User", sort: "user", class: "right", of: (s) => s.username || h("span", { class: "soft" }, "–") },
  { title: "Name", sort: "name", of: (s) => named(s) || h("span", { class: "soft" }, s.application_detail || s.detail || "–") },
  { title: "Client", sort: "client", class: "wide", of: (s) => [s.client_hostname || port(s.client_address), s.client_hostname ? h("span", { class: "soft" }, " " + s.client_address) : null] },
  { title: "Server", sort: "server", class: "wide", of: (s) => [port(s.server_address, s.server_port), s.server_country ? h("span", { class: "soft" }, " " + s.server_country) : null] },
  { title: "Category", sort: "category", class: "wide", width: "9%", of: (s) => s.category },
  { title: "Since", sort: "newest", class: "right", width: "10%", of: (s) => ago(s.began) },
];

// details shows all of a session, and why it is thought to be what it is.
async function details(s) {
  const evidence = h("ol", { class: "evidence" }, h("li", {}, "…"));
  const facts = [
    ["Application", [s.application_name || s.application || "not known yet", s.category ? ` (${s.category})` : ""].join("")],
    ["Chain", s.application_protochain], ["Kind", s.detail], ["Confidence", s.confidence + " of 100"],
    ["User", s.username], ["Groups", s.usergroups],
    ["Client", [s.client_hostname, port(s.client_address, s.client_port), s.client_country].filter(Boolean).join(", ")],
    ["Server", [port(s.server_address, s.server_port), s.server_country].filter(Boolean).join(", ")],
    ["Protocol", protocols[s.ip_protocol] || String(s.ip_protocol)],
    ["Server name", s.ssl_sni], ["Asked DNS for", s.server_dns_hint], ["DNS says", s.server_reverse_dns], ["URL", s.http_url], ["Program", s.http_user_agent],
    ["TLS", [s.tls_version, s.alpn_chosen || (s.alpn || []).join(" ")].filter(Boolean).join(", ")], ["JA4", s.ja4],
    ["Certificate of", s.certificate ? s.certificate.subject_cn || "" : ""],
    ["Began", moment(s.began)], ["Packets seen", number(s.packets)], ["Conntrack id", String(s.ct_id) + (s.zone ? ", zone " + s.zone : "")],
  ];
  open("Session " + s.ct_id,
    h("dl", {}, facts.filter(([, v]) => v).map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])),
    h("h2", {}, "Why"), evidence,
    (close) => h("div", { class: "controls" }, h("button", { type: "button", onclick: close, autofocus: true }, "Close")));
  try {
    const why = await get(`/v1/sessions/${s.ct_id}/why`);
    fill(evidence, (why.evidence || []).map((e) => h("li", {}, `packet ${e.packet}: ${e.rule}${e.seen ? " – " + e.seen : ""}${e.confidence ? ` (${e.confidence})` : ""}`)));
    if (!evidence.children.length) fill(evidence, h("li", {}, "nothing was seen yet"));
  } catch (e) { fill(evidence, h("li", {}, e.message)); }
}

export const sessions = {
  title: "Sessions",
  begin(body, query, signal, failed) {
    const count = h("span", { class: "note", role: "status" });
    const search = h("input", { type: "search", placeholder: "Search: application, user, name, address", "aria-label": "Search", value: query.get("search") || "" });
    const order = h("select", { "aria-label": "Order" }, [["newest", "Newest first"], ["application", "By application"], ["user", "By user"], ["client", "By client"], ["server", "By server"], ["name", "By name"]]
      .map(([v, t]) => h("option", { value: v }, t)));
    const l = list("/v1/sessions", columns, () => ({ search: search.value.trim(), sort: order.value }), signal, failed, (n) => {
      fill(count, number(n) + (search.value ? " found" : " live"));
      body.dataset.ready = "1";
    });
    let due = 0;
    search.addEventListener("input", () => { clearTimeout(due); due = setTimeout(l.refresh, 150); });
    order.addEventListener("change", l.refresh);
    fill(body, h("div", { class: "head" }, h("h1", {}, "Sessions"), count, h("span", { class: "grow" }), h("div", { class: "controls" }, search, order)), l.box);
  },
};
