"""The page's script: draws the figures, follows the reader's light or dark, and links points, table and layers."""

SCRIPT = r"""
(function () {
  const read = (element) => JSON.parse(element.textContent);
  const shared = read(document.getElementById("report-data"));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const find = (id) => document.getElementById(id);

  function colours() {
    const c = dark.matches ? shared.dark : shared.light;
    return {
      "font.color": c.text, "hoverlabel.font.color": c.text,
      "hoverlabel.bgcolor": c.card, "hoverlabel.bordercolor": c.line,
      "modebar.color": c.muted, "modebar.activecolor": c.accent, "modebar.bgcolor": "rgba(0,0,0,0)",
    };
  }
  const drawn = [];
  for (const script of document.querySelectorAll("script.spec")) {
    const spec = read(script), div = find(script.dataset.for);
    Plotly.newPlot(div, spec.data, spec.layout, spec.config).then(() => Plotly.relayout(div, colours()));
    drawn.push(div);
  }
  dark.addEventListener("change", () => drawn.forEach((div) => Plotly.relayout(div, colours())));

  const scatter = find("plot-pareto"), across = find("across"), log = find("log");
  function moveAxis() {
    const column = across.value, title = across.selectedOptions[0].dataset.title;
    const first = [...across.options].find((option) => option.defaultSelected).value;
    const indices = [], xs = [];
    scatter.data.forEach((trace, index) => {
      if (!trace.customdata) return;
      indices.push(index);
      xs.push(trace.meta[column]);
    });
    Plotly.restyle(scatter, { x: xs }, indices);
    const lines = scatter.data.map((t, i) => (t.customdata ? -1 : i)).filter((i) => i >= 0);
    if (lines.length) Plotly.restyle(scatter, { visible: column === first }, lines);
    const all = xs.map((values) => Array.from(values)).flat();
    const chosen = Math.max(...all) < shared.span * Math.min(...all) ? shared.fine : shared.coarse;
    const ticks = log.checked ? { "xaxis.tickvals": chosen[0], "xaxis.ticktext": chosen[1] }
      : { "xaxis.tickvals": null, "xaxis.ticktext": null };
    Plotly.relayout(scatter, {
      "xaxis.title.text": title, "xaxis.type": log.checked ? "log" : "linear",
      "xaxis.tickmode": log.checked ? "array" : "auto", "xaxis.autorange": true, ...ticks,
    });
  }
  if (scatter && across) {
    across.addEventListener("change", moveAxis);
    log.addEventListener("change", moveAxis);
  }

  const chooser = find("point"), layers = find("plot-layers");
  const rows = [...document.querySelectorAll("#points tbody[data-id]")];
  function showLayers(id) {
    const chosen = shared.layers[id];
    if (!layers || !chosen) return;
    Plotly.restyle(layers, { x: chosen.causes.map(() => chosen.layers), y: chosen.causes });
  }
  function markPoint(id) {
    if (!scatter || !scatter.data) return;
    scatter.data.forEach((trace, index) => {
      if (!trace.customdata) return;
      const ids = Array.from(trace.customdata), at = ids.indexOf(id);
      Plotly.restyle(scatter, { selectedpoints: [at < 0 ? null : [at]] }, [index]);
    });
  }
  function choose(id, scroll) {
    const row = rows.find((r) => r.dataset.id === id);
    rows.forEach((r) => r.classList.toggle("chosen", r === row));
    if (row && scroll) row.scrollIntoView({ block: "nearest" });
    if (chooser && shared.layers[id]) chooser.value = id;
    showLayers(id);
    markPoint(id);
  }
  for (const row of rows) {
    row.addEventListener("click", () => choose(row.dataset.id, false));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(row.dataset.id, false); });
  }
  if (chooser) chooser.addEventListener("change", () => choose(chooser.value, true));
  if (scatter && scatter.on) scatter.on("plotly_click", (event) => choose(event.points[0].customdata, true));

  const shares = find("shares");
  if (shares) shares.addEventListener("change", () => {
    for (const name of ["plot-energy", "plot-area"]) {
      const div = find(name);
      div.dataset.title = div.dataset.title || div.layout.xaxis.title.text;
      Plotly.relayout(div, {
        barnorm: shares.checked ? "percent" : "", "xaxis.autorange": true,
        "xaxis.title.text": shares.checked ? "share of the point (%)" : div.dataset.title,
      });
    }
  });

  const save = find("csv");
  if (save) save.addEventListener("click", () => {
    const lines = shared.csv.map((row) => row.map((cell) => '"' + cell.replace(/"/g, '""') + '"').join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = "front.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
})();
"""
