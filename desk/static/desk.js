// Keeps a page fresh: one WebSocket says that something changed, htmx fetches the panel anew, timers run by themselves.
//
//   /v1/live --event--> refresh (at most every data-pause ms) --htmx--> #panel morphed in place
//   closed 4401 --> POST /renew --> open again; closed otherwise --> open again, later each time
(() => {
  "use strict";
  const DRAFT = "centralita-draft-", TYPED = "centralita-typed-";
  const TICK_MS = 1000, RENEW_MS = 4 * 60 * 1000, LONGEST_MS = 10000;
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const panel = () => $("#panel[data-live]");
  const live = () => $("#live");
  let offset = 0; // the engine's clock minus ours, in seconds
  const saved = new Set(); // wrap-ups whose note was sent as their time ran out
  let timer = null, dirty = false, busy = false, last = 0, tries = 0, socket = null;

  // What people are typing is theirs: an element with the same id and the same data-keep is left alone.
  const keep = (old, fresh) =>
    !(old.dataset?.keep !== undefined && old.id && old.id === fresh.id && old.dataset.keep === fresh.dataset?.keep);
  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => keep(old, fresh);
    Idiomorph.defaults.callbacks.beforeNodeRemoved = (node) => !node.matches?.(".said");
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  }

  // -- panels -----------------------------------------------------------------------------------------
  function refresh() {
    dirty = true;
    const pause = Number(panel()?.dataset.pause || 80);
    if (timer || busy || !panel()) return;
    timer = setTimeout(() => {
      timer = null;
      dirty = false;
      busy = true;
      last = Date.now();
      htmx.trigger(panel(), "refresh");
    }, Math.max(0, last + pause - Date.now()));
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== panel()) return;
    busy = false;
    if (dirty) refresh();
  });

  function painted() {
    const state = live();
    if (!state) return;
    offset = Number(state.dataset.now) - Date.now() / 1000;
    away(state.dataset.engine === "away");
    tick();
    restoreDrafts();
    announce();
    missed();
  }
  document.addEventListener("htmx:afterSettle", painted);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "why-body" && !$("#why").open) $("#why").showModal();
    // How far what she dialed by hand is, its own card tells.
    const dialed = event.detail.target.id === "manual-result" && $("#manual-result .good");
    if (dialed) setTimeout(() => dialed.remove(), 8000);
  });

  // -- clocks -----------------------------------------------------------------------------------------
  function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds)), h = Math.floor(whole / 3600);
    const m = Math.floor((whole % 3600) / 60), s = String(whole % 60).padStart(2, "0");
    return h ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
  }
  // Whether a campaign's form says something else than it did.
  function answered(form) {
    const changed = (field) => field.options ? [...field.options].some((each) => each.selected !== each.defaultSelected)
      : field.value !== field.defaultValue;
    return all("[name^='form.']", form).some(changed);
  }
  function tick() {
    const now = Date.now() / 1000 + offset;
    for (const each of all("time[data-since]")) each.textContent = clock(now - Number(each.dataset.since));
    for (const each of all("time[data-until]")) {
      const left = Number(each.dataset.until) - now;
      each.textContent = clock(left);
      each.classList.toggle("soon", left < 10);
    }
    if ($("[data-again]")) refresh(); // an agent is told nothing of colleagues: who is rung is asked for
    for (const each of all("[data-due]")) each.hidden = now < Number(each.dataset.due);
    // Wrap-up ends by itself: what is written by then is kept.
    for (const form of all("form[data-ends]")) {
      const left = Number(form.dataset.ends) - now, note = $("textarea[name=note]", form);
      if (left < 3 && (note?.value.trim() || answered(form)) && !saved.has(form.id + form.dataset.ends)) {
        saved.add(form.id + form.dataset.ends);
        $("[data-save]", form).click();
      }
    }
  }
  setInterval(tick, TICK_MS);

  // -- the socket -------------------------------------------------------------------------------------
  function away(is) {
    const banner = $("#away");
    if (banner) banner.hidden = !is;
    document.body.classList.toggle("is-away", is);
  }
  function connect() {
    if (!panel()) return;
    const state = live(), query = state?.dataset.epoch ? `?epoch=${encodeURIComponent(state.dataset.epoch)}&after=${state.dataset.seq}` : "";
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/live${query}`);
    socket.onopen = () => { tries = 0; $("#lost").hidden = true; refresh(); };
    socket.onmessage = (message) => {
      const said = JSON.parse(message.data);
      if (said.type === "engine") { away(!said.up); if (said.up) refresh(); }
      else if (said.type === "ping") offset = said.now_s - Date.now() / 1000;
      else refresh();
    };
    socket.onclose = async (closed) => {
      if (closed.code === 4401 && !(await renew())) return leave();
      if (closed.code === 4403) return leave();
      if (tries > 0) $("#lost").hidden = false;
      setTimeout(connect, closed.code === 4401 ? 0 : Math.min(LONGEST_MS, 200 * 2 ** tries++));
    };
  }
  async function renew() {
    try { return (await fetch("/renew", { method: "POST" })).status !== 401; } catch { return true; }
  }
  function leave() { location.assign(`/login?next=${encodeURIComponent(location.pathname)}`); }
  setInterval(() => { if (panel() || document.querySelector("audio")) renew(); }, RENEW_MS);
  // Browsers slow hidden pages down: what was missed is fetched when somebody looks.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { refresh(); calm(); } });

  // -- what went wrong --------------------------------------------------------------------------------
  // It is said below the controls it is about, where nothing is covered; elsewhere at the page's edge.
  function toast(text, about) {
    const where = about?.closest?.("#panel form, #people .add form, #panel .controls, #panel .offer, .presence .stack");
    const box = document.createElement(where ? "output" : "div");
    box.className = where ? "said fault" : "toast";
    box.textContent = text;
    if (where) { box.setAttribute("role", "alert"); where.after(box); } else $("#toasts").append(box);
    box.scrollIntoView({ block: "nearest" });
    setTimeout(() => box.remove(), where ? 30000 : 8000);
  }
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== panel()) for (const each of all(".said")) each.remove();
  });
  document.addEventListener("htmx:responseError", async (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status === 401) {
      if (await renew()) return requestConfig.elt === panel() ? refresh() : toast(document.body.dataset.broken);
      return leave();
    }
    if (requestConfig.elt === panel()) return;
    let text = document.body.dataset.broken;
    try { text = JSON.parse(xhr.responseText).detail || text; } catch { /* not ours: the general words do */ }
    toast(text, requestConfig.elt);
    refresh();
  });
  // The page comes back by itself; what somebody pressed meanwhile is not pressed again.
  for (const lost of ["htmx:sendError", "htmx:timeout"])
    document.addEventListener(lost, (event) => {
      if (event.detail.elt !== panel()) toast(document.body.dataset.unsent, event.detail.elt);
    });

  // -- drafts: a note survives a reload ---------------------------------------------------------------
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-draft]");
    if (form && event.target.name === "note") localStorage.setItem(DRAFT + form.dataset.draft, event.target.value);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (!event.detail.successful || !form.matches?.("form[data-draft]")) return;
    localStorage.removeItem(DRAFT + form.dataset.draft);
    const note = $("textarea[name=note]", form);
    if (note) note.value = "";
  });
  function restoreDrafts() {
    const here = new Set(all("[data-draft]").map((form) => DRAFT + form.dataset.draft));
    for (const form of all("[data-draft]")) {
      const note = $("textarea[name=note]", form), saved = localStorage.getItem(DRAFT + form.dataset.draft);
      if (note && saved && !note.value && document.activeElement !== note) note.value = saved;
    }
    // Nothing about a caller stays in the browser once the contact is over.
    if (!document.body.classList.contains("is-away") && $(".desk"))
      for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFT) && !here.has(key)) localStorage.removeItem(key);
  }

  // -- who was asked and did not come: her card alone would go back to how it was ------------------------
  const COMES_MS = 1000;
  let asked = new Map(); // card -> what is said when nobody came
  function missed() {
    for (const [id, words] of asked) if (!$(`[id="${id}"] .beside`)) setTimeout(() => {
      const card = document.getElementById(id), controls = card && $(".controls", card);
      if (controls && !$(".beside", card)) toast(words, controls);
    }, COMES_MS);
    asked = new Map(all(".beside[data-missed]").map((each) => [each.closest("article").id, each.dataset.missed]));
  }
  document.addEventListener("htmx:afterRequest", ({ detail }) => { // who cannot be rung at all is never beside her
    const words = detail.elt.dataset?.missed, sent = detail.requestConfig?.formData;
    if (detail.successful && words && sent?.get("action") === "consult")
      asked.set(detail.elt.closest("article").id, words.replace("…", sent.get("target")));
  });
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const card = detail.elt.closest?.("article"); // she has ended it herself
    if (card) asked.delete(card.id);
  });

  // -- offers: told when nobody looks -----------------------------------------------------------------
  const title = document.title;
  let told = new Set(), flash = null;
  function calm() { clearInterval(flash); flash = null; document.title = title; }
  function announce() {
    const offers = all("[data-offer]"), ids = new Set(offers.map((each) => each.dataset.offer));
    for (const each of offers) {
      if (told.has(each.dataset.offer)) continue;
      if (!flash) flash = setInterval(() => {
        document.title = document.title === title ? `☎ ${document.body.dataset.incoming}` : title;
      }, 800);
      if (document.hidden && window.Notification?.permission === "granted")
        new Notification(document.body.dataset.incoming, { body: $("h2", each)?.textContent, tag: each.dataset.offer });
    }
    told = ids;
    if (!ids.size && flash) calm();
    for (const button of all("[data-notify]"))
      button.hidden = !(window.Notification && Notification.permission === "default");
  }

  // -- what a page keeps of what was typed: nothing of a caller's ---------------------------------------
  function restoreTyped() {
    for (const each of all("[data-remember]")) each.value = localStorage.getItem(TYPED + each.dataset.remember) || each.value;
  }
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-remember]")) return;
    if (target.value.trim()) localStorage.setItem(TYPED + target.dataset.remember, target.value.trim());
    else localStorage.removeItem(TYPED + target.dataset.remember);
  });

  // -- small things -----------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-notify]")) Notification.requestPermission().then(announce);
    if (event.target.closest?.("[data-leaves]"))
      for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFT)) localStorage.removeItem(key);
    const menu = event.target.closest?.("details.menu");
    for (const each of all("details.menu[open]"))
      if (each !== menu || event.target.closest(".choices")) each.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const each of all("details.menu[open]")) each.open = false;
  });
  document.addEventListener("change", (event) => { if (event.target.matches?.("[data-submits]")) event.target.form.submit(); });
  document.addEventListener("DOMContentLoaded", () => { restoreTyped(); painted(); connect(); });
})();
