/* What every script of the overview uses: its state, its words, and the colours of a figure. */
(function () {
  "use strict";
  const Dse = (window.Dse = { config: null });
  const MOST_LINES = 1200, STATUS = ["front", "dominated", "infeasible", "no machine", "failed"];
  const STATUS_WORDS = ["front", "dominated", "breaks a constraint", "no machine runs it", "training failed"];
  const find = (id) => document.getElementById(id);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const night = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : dark.matches);
  const state = {
    data: null, box: null, table: null, bounds: {}, ranges: {}, chosen: null, compare: [],
    x: null, y: "accuracy", z: "", xlog: true, ylog: false, colour: "", shown: [true, true, false, false, false],
    growth: "trainings", importance: null, axes: "important", mask: null, built: false,
  };
  /* What the server says of quantities, axes and colours; there once the page is laid out. */
  function configure() {
    Dse.config = Dse.config || JSON.parse(find("explore-config").dataset.config);
  }
  function timed(name, work) {
    const start = performance.now();
    const result = work();
    performance.measure("dse:" + name, { start, end: performance.now() });
    return result;
  }
  const escape = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  function amount(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (value === 0) return "0";
    return Math.abs(value) >= 999.5 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
  }
  const quantity = (column) => Dse.config.quantities.find((q) => q.column === column);
  const shownValue = (column, value) => (column === "accuracy" ? (100 * value).toFixed(1) + " %"
    : amount(value) + " " + quantity(column).unit);

  /* Figures drawn by the server and by these scripts follow the reader's light or dark alike. */
  function colours(layout) {
    const c = night() ? Dse.config.dark : Dse.config.light;
    const themed = { ...layout, font: { ...layout.font, color: c.text } };
    themed.hoverlabel = { ...layout.hoverlabel, font: { ...(layout.hoverlabel || {}).font, color: c.text }, bgcolor: c.card, bordercolor: c.line };
    themed.modebar = { color: c.muted, activecolor: c.accent, bgcolor: "rgba(0,0,0,0)" };
    return themed;
  }
  const SETTINGS = (buttons) => ({ displaylogo: false, responsive: true, modeBarButtons: [buttons], toImageButtonOptions: { format: "svg" } });
  let drawn = new WeakMap();
  function drawSpecs(anew) {
    if (anew) drawn = new WeakMap();
    for (const div of document.querySelectorAll("[data-figure]")) {
      if (drawn.get(div) === div.dataset.figure) continue;
      drawn.set(div, div.dataset.figure);
      const spec = JSON.parse(div.dataset.figure);
      Plotly.react(div, spec.data, colours(spec.layout), SETTINGS(["toImage"]));
    }
  }

  Object.assign(Dse, { MOST_LINES, SETTINGS, STATUS, STATUS_WORDS, amount, colours, configure, dark, drawSpecs, escape, find, night, quantity, shownValue, state, timed });
})();
