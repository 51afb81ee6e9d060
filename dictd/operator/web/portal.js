// Who is in by the captive portal, and the vouchers for it.

import { every, get } from "./api.js";
import { fill, h } from "./dom.js";

export const portal = {
  title: "Portal",
  begin(body, query, signal, failed) {
    const note = h("p", { class: "note" });
    fill(body, h("div", { class: "head" }, h("h1", {}, "Portal")), note);
    every(5000, async (s) => {
      try { await get("/v1/portal/status", {}, s); } catch (e) {
        if (e.status !== 404) throw e;
        fill(note, "This dictd keeps no portal.");
      }
      body.dataset.ready = "1";
    }, signal, failed);
  },
};
