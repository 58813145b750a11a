/* The view over all candidates: every filter holds for every view, and none of them asks the server. */
(function () {
  "use strict";
  const { configure, dark, drawSpecs, find, state, timed } = Dse;

  function counts() {
    let kept = 0, front = 0;
    for (let i = 0; i < state.data.n; i++) if (state.mask[i]) { kept += 1; front += state.data.status[i] === 0 ? 1 : 0; }
    const all = state.shown.reduce((sum, on, s) => sum + (on ? state.totals[s] : 0), 0);
    find("counts").textContent = kept.toLocaleString("en-US") + " of " + all.toLocaleString("en-US") + " candidates, " + front.toLocaleString("en-US") + " of them on the front";
    find("clear").disabled = !Dse.filtering();
    for (const output of document.querySelectorAll("[data-bound]")) Dse.boundText(output);
  }
  function refilter() {
    state.mask = Dse.within();
    counts();
    timed("marks", state.z ? Dse.drawScatter : Dse.drawMarks);
    timed("parallel", Dse.drawParallel);
    timed("table", Dse.drawTable);
  }
  function drawEverything() {
    if (!state.data || !state.data.n) return;
    state.mask = Dse.within();
    counts();
    Dse.drawLegend();
    timed("scatter", Dse.drawScatter);
    timed("parallel", Dse.drawParallel);
    timed("growth", Dse.drawGrowth);
    timed("importance", Dse.drawImportance);
    Dse.drawTable();
  }
  function bind() {
    if (find("explore").dataset.wired) return;
    find("explore").dataset.wired = "1";
    const on = (id, event, work) => find(id).addEventListener(event, work);
    on("x-axis", "change", (e) => { state.x = e.target.value; Dse.drawScatter(); });
    on("y-axis", "change", (e) => { state.y = e.target.value; Dse.drawScatter(); });
    on("z-axis", "change", (e) => { state.z = e.target.value; Plotly.purge(find("scatter")); delete find("scatter").dataset.listening; state.mask = Dse.within(); Dse.drawScatter(); });
    on("x-scale", "change", (e) => { state.xlog = e.target.value === "log"; Dse.drawScatter(); });
    on("y-scale", "change", (e) => { state.ylog = e.target.value === "log"; Dse.drawScatter(); });
    on("colour-by", "change", (e) => { state.colour = e.target.value; Dse.drawLegend(); Dse.drawScatter(); });
    on("growth-over", "change", (e) => { state.growth = e.target.value; Dse.drawGrowth(); });
    on("importance-of", "change", (e) => { state.importance = e.target.value; Dse.drawImportance(); Dse.drawParallel(); });
    on("axes-shown", "change", (e) => { state.axes = e.target.value; state.ranges = {}; state.mask = Dse.within(); refilter(); });
    on("clear", "click", Dse.clear);
    on("save-csv", "click", Dse.saveCsv);
    on("save-html", "click", Dse.standalone);
    on("open-candidate", "click", (e) => Dse.go(e.target.dataset.href));
    on("add-candidate", "click", Dse.add);
    on("compare", "click", () => Dse.go("compare?" + state.compare.map((c) => "study=" + encodeURIComponent(c.study) + "&id=" + encodeURIComponent(c.id)).join("&")));
    Dse.tray();
  }
  function receive({ studies, importances }) {
    timed("open", () => {
      const picked = state.box ? new Set(state.data.ids.map((_, i) => i).filter((i) => state.box[i]).map(Dse.key)) : null;
      const chosen = state.data && state.chosen !== null ? Dse.key(state.chosen) : null;
      for (const s of studies) for (const o of s.objectives) if (!Dse.config.quantities.some((q) => q.column === o.column)) Dse.config.quantities.push(o);
      state.data = timed("merge", () => Dse.merge(studies, importances));
      const empty = !state.data.n;
      find("explore-body").hidden = empty;
      find("explore-empty").hidden = !empty || !studies.length;
      if (empty) { find("explore").dataset.ready = "1"; return; }
      if (picked) { state.box = new Uint8Array(state.data.n); for (let i = 0; i < state.data.n; i++) if (picked.has(Dse.key(i))) state.box[i] = 1; }
      state.table = null;
      if (chosen !== null) { state.chosen = state.data.ids.findIndex((_, i) => Dse.key(i) === chosen); if (state.chosen < 0) { state.chosen = null; find("chosen").hidden = true; } }
      bind();
      Dse.controls();
      drawEverything();
      Dse.buildTable();
    });
    return "";
  }
  async function plotlyHere() {
    while (!window.Plotly) await new Promise((done) => setTimeout(done, 15));
  }
  async function load(token) {
    if (!token || !token.studies.length) return "";
    const query = token.studies.map((name) => "study=" + encodeURIComponent(name)).join("&"), base = find("explore-config").dataset.base;
    const early = await window.dseEarly; /* asked for when the page began to load, before any script was here */
    delete window.dseEarly;
    const found = early && early.version === token.version ? early : await (await fetch(base + "columns?" + query)).json();
    await plotlyHere();
    configure();
    return receive(found);
  }

  /* ---- light and dark ---- */
  const THEMES = ["auto", "light", "dark"];
  function redrawAll() {
    drawSpecs(true);
    if (state.data && !find("explore").hidden) drawEverything();
  }

  function wear(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const button = find("theme");
    if (button) button.textContent = { auto: "As the system", light: "Light", dark: "Dark" }[theme];
  }
  const worn = () => { try { return THEMES.includes(localStorage.dseTheme) ? localStorage.dseTheme : "auto"; } catch { return "auto"; } };
  function change() {
    const next = THEMES[(THEMES.indexOf(worn()) + 1) % THEMES.length];
    try { localStorage.dseTheme = next; } catch { /* a browser that keeps nothing starts again as the system */ }
    wear(next);
    redrawAll();
  }

  wear(worn());
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    dse: {
      load,
      shown: (page) => { if (page === "explore" && state.data) setTimeout(() => { drawEverything(); window.dispatchEvent(new Event("resize")); }, 0); return ""; },
    },
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#theme")) change();
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.textContent = "copied"; setTimeout(() => { copy.textContent = "copy"; }, 1500); });
  });
  plotlyHere().then(() => { if (find("explore-config")) { configure(); drawSpecs(); } });
  dark.addEventListener("change", redrawAll);
  new MutationObserver(() => { if (find("explore-config") && window.Plotly) { configure(); drawSpecs(); } if (find("theme") && !find("theme").textContent) wear(worn()); }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-figure"] });

  Object.assign(Dse, { drawEverything, refilter });
})();
