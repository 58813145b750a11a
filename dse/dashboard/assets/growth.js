/* How the front grew, and how much each gene explains. */
(function () {
  "use strict";
  const { SETTINGS, colours, escape, find, state } = Dse;

  function drawGrowth() {
    const traces = state.data.traces.map((s, k) => ({ x: s.trace.map((t) => (state.growth === "trainings" ? t[0] : t[1])), y: s.trace.map((t) => t[2]), name: escape(s.name),
      mode: s.trace.length < 3 ? "lines+markers" : "lines", line: { color: Dse.config.palette[k % Dse.config.palette.length], width: 2, shape: "hv", dash: ["solid", "dash", "dot"][Math.floor(k / Dse.config.palette.length) % 3] }, hovertemplate: "%{y:.4f} after %{x:.4~g}<extra></extra>" }));
    const costs = state.data.objectives.filter((o) => o.direction === "minimise").length, shares = state.data.objectives.length - costs;
    const unit = [...Array(shares).fill("share"), ...(costs ? [costs === 1 ? "decades" : "decades^" + costs] : [])].join("·");
    const axis = (text) => ({ ...Dse.config.axis, automargin: false, title: { text, standoff: 8, font: { size: 12 } }, rangemode: "tozero" });
    Plotly.react(find("growth"), traces, colours({ ...Dse.config.layout, height: 196, margin: { l: 52, r: 10, t: state.data.traces.length > 1 ? 34 : 8, b: 42 }, showlegend: state.data.traces.length > 1,
      xaxis: axis(state.growth === "trainings" ? "trainings" : "time since the start (s)"), yaxis: { ...axis("hypervolume (" + unit + ")"), title: { text: "hypervolume<br>(" + unit + ")", standoff: 6, font: { size: 12 } } } }), SETTINGS(["toImage"]));
  }
  function drawImportance() {
    const genes = (state.data.importances[state.importance] || []).filter((g) => g[1] > 0).slice(0, 8);
    find("importance-note").textContent = genes.length ? (state.data.studies.length > 1 ? "Over the candidates of all " + state.data.studies.length + " studies." : "") : "No gene explains this objective on its own, or too few candidates are known.";
    const trace = { type: "bar", orientation: "h", x: genes.map((g) => 100 * g[1]), y: genes.map((g) => escape(g[0].replace("machine.", ""))), marker: { color: Dse.config.blue }, hovertemplate: "%{y}: %{x:.1f} %<extra></extra>" };
    Plotly.react(find("importance"), [trace], colours({ ...Dse.config.layout, height: 210, margin: { l: 110, r: 10, t: 6, b: 42 }, showlegend: false, bargap: 0.3,
      xaxis: { ...Dse.config.axis, automargin: false, title: { text: "variance explained alone (%)", standoff: 8, font: { size: 12 } }, rangemode: "tozero" }, yaxis: { ...Dse.config.axis, automargin: false, type: "category", autorange: "reversed", ticks: "" } }), SETTINGS(["toImage"]));
  }

  Object.assign(Dse, { drawGrowth, drawImportance });
})();
