/* The view over all candidates: every filter holds for every view, and none of them asks the server. */
(function () {
  "use strict";
  const MOST_LINES = 1200, STATUS = ["front", "dominated", "infeasible", "no machine", "failed"];
  const STATUS_WORDS = ["front", "dominated", "breaks a constraint", "no machine runs it", "training failed"];
  const find = (id) => document.getElementById(id);
  const dark = matchMedia("(prefers-color-scheme: dark)"), THEMES = ["auto", "light", "dark"];
  const night = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : dark.matches);
  const state = {
    data: null, box: null, table: null, bounds: {}, ranges: {}, chosen: null, compare: [],
    x: null, y: "accuracy", z: "", xlog: true, ylog: false, colour: "", shown: [true, true, false, false, false],
    growth: "trainings", importance: null, axes: "important", mask: null, built: false,
  };
  const config = () => JSON.parse(find("explore-config").dataset.config);
  let C = null;

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
  const quantity = (column) => C.quantities.find((q) => q.column === column);
  const shownValue = (column, value) => (column === "accuracy" ? (100 * value).toFixed(1) + " %"
    : amount(value) + " " + quantity(column).unit);

  /* ---- figures drawn by the server and by this script follow the reader's light or dark alike ---- */
  function colours(layout) {
    const c = night() ? C.dark : C.light;
    const themed = { ...layout, font: { ...layout.font, color: c.text } };
    themed.hoverlabel = { ...layout.hoverlabel, font: { ...(layout.hoverlabel || {}).font, color: c.text }, bgcolor: c.card, bordercolor: c.line };
    themed.modebar = { color: c.muted, activecolor: c.accent, bgcolor: "rgba(0,0,0,0)" };
    return themed;
  }
  const SETTINGS = (buttons) => ({ displaylogo: false, responsive: true, modeBarButtons: [buttons], toImageButtonOptions: { format: "svg" } });
  let drawn = new WeakMap();
  function drawSpecs() {
    for (const div of document.querySelectorAll("[data-figure]")) {
      if (drawn.get(div) === div.dataset.figure) continue;
      drawn.set(div, div.dataset.figure);
      const spec = JSON.parse(div.dataset.figure);
      Plotly.react(div, spec.data, colours(spec.layout), SETTINGS(["toImage"]));
    }
  }
  function redrawAll() {
    drawn = new WeakMap();
    drawSpecs();
    if (state.data && !find("explore").hidden) drawEverything();
  }

  /* ---- data ---- */
  function merge(studies, importances) {
    const n = studies.reduce((sum, s) => sum + s.ids.length, 0);
    const data = { n, studies: studies.map((s) => s.study), ids: [], study: new Int32Array(n), status: new Uint8Array(n),
      metrics: {}, genes: {}, networks: [], machines: [], traces: studies.map((s) => ({ name: s.study, trace: s.trace })),
      importances, objectives: studies[0] ? studies[0].objectives : [] };
    for (const q of C.quantities) data.metrics[q.column] = new Float64Array(n).fill(NaN);
    const float = (data.float = new Float64Array(n).fill(NaN));
    let at = 0;
    studies.forEach((s, index) => {
      for (let i = 0; i < s.ids.length; i++) {
        data.ids.push(s.ids[i]);
        data.study[at + i] = index;
        data.status[at + i] = s.status[i];
        data.networks.push(s.networks.values[s.networks.codes[i]]);
        data.machines.push(s.machines.values[s.machines.codes[i]]);
        if (s.float_accuracy[i] !== null) float[at + i] = s.float_accuracy[i];
      }
      for (const column of Object.keys(s.metrics)) {
        const from = s.metrics[column], to = data.metrics[column];
        for (let i = 0; i < from.length; i++) if (from[i] !== null) to[at + i] = from[i];
      }
      for (const [name, gene] of Object.entries(s.genes)) {
        const whole = (data.genes[name] = data.genes[name] || { values: [], codes: new Int32Array(n).fill(-1) });
        const places = gene.values.map((v) => {
          const known = whole.values.indexOf(v);
          return known >= 0 ? known : whole.values.push(v) - 1;
        });
        for (let i = 0; i < gene.codes.length; i++) if (gene.codes[i] >= 0) whole.codes[at + i] = places[gene.codes[i]];
      }
      at += s.ids.length;
    });
    for (const gene of Object.values(data.genes)) order(gene);
    return data;
  }
  function order(gene) {
    const bits = (v) => (v === "binary" ? 1 : v);
    if (!gene.values.every((v) => typeof bits(v) === "number")) return;
    const sorted = [...gene.values].sort((a, b) => bits(a) - bits(b)), places = gene.values.map((v) => sorted.indexOf(v));
    gene.values = sorted;
    gene.codes = gene.codes.map((code) => (code < 0 ? -1 : places[code]));
  }
  const key = (i) => state.data.studies[state.data.study[i]] + "\n" + state.data.ids[i];

  /* ---- filters: constraints, the box in the scatter, ranges on the parallel axes ---- */
  function within(skip) {
    const { data } = state, mask = new Uint8Array(data.n).fill(1);
    for (const [column, bound] of Object.entries(state.bounds)) {
      const values = data.metrics[column], up = quantity(column).maximise;
      for (let i = 0; i < data.n; i++) if (!(up ? values[i] >= bound : values[i] <= bound)) mask[i] = 0;
    }
    if (skip !== "box" && state.box) for (let i = 0; i < data.n; i++) if (!state.box[i]) mask[i] = 0;
    if (skip !== "ranges") for (const [name, ranges] of Object.entries(state.ranges)) {
      const values = axisValues(name);
      for (let i = 0; i < data.n; i++) if (!ranges.some(([low, high]) => values[i] >= low && values[i] <= high)) mask[i] = 0;
    }
    if (skip !== "table" && state.table) for (let i = 0; i < data.n; i++) if (!state.table[i]) mask[i] = 0;
    for (let i = 0; i < data.n; i++) if (!state.shown[data.status[i]]) mask[i] = 0;
    return mask;
  }
  const isCost = (column) => state.data.metrics[column] && column !== "accuracy";
  function axisValues(name) {
    const { data } = state;
    if (name === "accuracy") return data.metrics.accuracy.map((v) => 100 * v);
    if (data.metrics[name]) return data.metrics[name].map((v) => Math.log10(v));
    return data.genes[name] ? data.genes[name].codes : new Int32Array(data.n).fill(-1);
  }

  /* ---- scatter ---- */
  function hover(i) {
    const { data } = state;
    const lines = ["<b>" + escape(data.ids[i]) + "</b>" + (data.studies.length > 1 ? " of " + escape(data.studies[data.study[i]]) : "") + ", " + STATUS_WORDS[data.status[i]]];
    for (const part of [data.networks[i], data.machines[i]]) if (part) lines.push(...wrapped(escape(part)));
    for (const q of C.quantities) {
      const value = data.metrics[q.column][i];
      if (!Number.isNaN(value)) lines.push(q.label + ": " + shownValue(q.column, value));
    }
    return lines.join("<br>");
  }
  function wrapped(text) {
    const lines = [""];
    for (const word of text.split(" ")) {
      if (lines[lines.length - 1].length + word.length > 62) lines.push("");
      lines[lines.length - 1] += (lines[lines.length - 1] ? " " : "") + word;
    }
    return lines;
  }
  function groups() {
    const lists = STATUS.map(() => []);
    for (let i = 0; i < state.data.n; i++) lists[state.data.status[i]].push(i);
    return lists;
  }
  /* Value of a candidate on an axis; one without a cost stands at the edge. */
  function coordinate(column) {
    const values = state.data.metrics[column], scale = column === "accuracy" ? 100 : 1, [low, high] = extent(column);
    const log = column === state.x ? state.xlog : column === state.y ? state.ylog : false, cost = !quantity(column).maximise;
    const edge = !(high >= low) ? 1 : cost ? (log ? high * Math.pow(high / low, 0.06) : high + 0.06 * (high - low)) : (log ? low * 0.97 : low - 0.06 * (high - low));
    return (i) => scale * (Number.isFinite(values[i]) ? values[i] : edge);
  }
  /* Colour of a candidate: by status, study or gene, rising values along the ramp. */
  function tinted(base) {
    const { data } = state, name = state.colour, gene = data.genes[name];
    if (name === "study") return (i) => C.palette[data.study[i] % C.palette.length];
    if (!gene) return () => base;
    const ordered = gene.values.length > C.palette.length || gene.values.every((v) => typeof v === "number");
    const tint = gene.values.map((_, code) => (ordered ? ramp(code / Math.max(1, gene.values.length - 1)) : C.palette[code]));
    return (i) => (gene.codes[i] < 0 ? C.grey : tint[gene.codes[i]]);
  }
  const ramp = (share) => C.ramp[Math.round(share * (C.ramp.length - 1))];
  function drawLegend() {
    const box = find("colour-legend"), name = state.colour, gene = state.data.genes[name], values = name === "study" ? state.data.studies : gene ? gene.values : [];
    const ordered = gene && (values.length > C.palette.length || values.every((v) => typeof v === "number"));
    const marks = name ? values.map((value, code) => [String(value), swatch(ordered ? ramp(code / Math.max(1, values.length - 1)) : C.palette[code % C.palette.length])])
      : drawnStatuses().reverse().map((s) => [STYLES()[s].name, DseCloud.stamp(STYLES()[s], STYLES()[s].color, 1)]);
    box.replaceChildren(...marks.slice(0, 12).map(([text, mark]) => { const label = document.createElement("span"); label.append(mark, document.createTextNode(text)); return label; }));
  }
  function swatch(colour) {
    const mark = document.createElement("i");
    mark.style.background = colour;
    return mark;
  }
  const STYLES = () => [
    { name: "front", color: C.blue, size: 10, symbol: "circle", opacity: 1, outline: (night() ? C.dark : C.light).card },
    { name: "dominated", color: C.grey, size: 5, symbol: "circle", opacity: 0.4 },
    { name: "breaks a constraint", color: C.purple, size: 6, symbol: "triangle", opacity: 0.6 },
    { name: "no machine (at the edge)", color: C.orange, size: 8, symbol: "diamond", opacity: 0.8 },
    { name: "failed (in the corner)", color: C.vermilion, size: 7, symbol: "cross", opacity: 0.8 },
  ];
  const PLOTLY_SYMBOLS = { circle: "circle", triangle: "triangle-up", diamond: "diamond", cross: "x" };
  const drawnStatuses = () => [1, 2, 3, 4, 0].filter((s) => state.shown[s] && state.totals[s]);
  /* The marks as plotly has them: for three axes, and for a picture or a page that leaves the dashboard. */
  function traces(mask) {
    const lists = groups(), x = coordinate(state.x), y = coordinate(state.y), z = state.z && coordinate(state.z);
    return drawnStatuses().map((s) => {
      const style = STYLES()[s], list = lists[s].filter((i) => mask[i]), tint = tinted(style.color);
      const marker = { size: z ? style.size / 2.4 : style.size, opacity: opacityOf(s, style), symbol: z ? (s === 4 ? "x" : "circle") : PLOTLY_SYMBOLS[style.symbol], line: { width: style.outline ? 1 : 0, color: style.outline }, color: list.map(tint) };
      const trace = { type: z ? "scatter3d" : list.length > C.webgl_from ? "scattergl" : "scatter", x: list.map(x), y: list.map(y), mode: "markers", name: style.name + " (" + list.length.toLocaleString("en-US") + ")", text: list.map(hover), hovertemplate: "%{text}<extra></extra>", customdata: list, marker };
      return z ? { ...trace, z: list.map(z) } : trace;
    });
  }
  const opacityOf = (s, style) => (state.colour && s === 1 ? 0.65 : style.opacity);
  const filtering = () => state.box !== null || state.table !== null || Object.keys(state.bounds).length > 0 || Object.keys(state.ranges).length > 0;
  function axisLayout(column, log) {
    const q = quantity(column), c = { ...C.axis, automargin: false, title: { text: q.title, standoff: 10, font: { size: 13 } }, type: log ? "log" : "linear" };
    const at = coordinate(column), on = (v) => (log ? Math.log10(v) : v);
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < state.data.n; i++) if (state.shown[state.data.status[i]]) { const v = on(at(i)); if (v < low) low = v; if (v > high) high = v; }
    const room = high > low ? 0.045 * (high - low) : log ? 0.2 : 0.1 * Math.abs(high) || 1;
    if (high >= low) c.range = [low - room, high + room];
    if (log && column !== "accuracy" && high >= low) {
      const ticks = high - low < Math.log10(C.span) ? C.fine : C.coarse;
      Object.assign(c, { tickvals: ticks[0], ticktext: ticks[1] });
    }
    return c;
  }
  function flatLayout() {
    return { ...C.layout, height: 452, margin: { l: 62, r: 12, t: 10, b: 50 }, hovermode: false, dragmode: "select", showlegend: false, xaxis: axisLayout(state.x, state.xlog), yaxis: axisLayout(state.y, state.ylog),
      uirevision: state.x + state.y + state.xlog + state.ylog, selectionrevision: "kept", newselection: { line: { color: C.orange, width: 1.5, dash: "solid" } } };
  }
  /* Axes, zoom and box are plotly's; the marks are on the canvas below, since plotly's need seconds. */
  function drawScatter() {
    const div = find("scatter"), flat = !state.z;
    find("cloud").hidden = !flat;
    if (!flat) { drawThree(div); return; }
    Plotly.react(div, [{ x: [null], y: [null], type: "scatter", mode: "markers", hoverinfo: "skip" }], colours(flatLayout()), SETTINGS([PICTURE, "select2d", "lasso2d", "zoom2d", "pan2d", "resetScale2d"]));
    if (!div.dataset.listening) {
      div.dataset.listening = "1";
      state.cloud = state.cloud || new DseCloud(find("cloud"), div, { hover, chosen: choose, brushed: brush });
      state.cloud.listen();
    }
    drawMarks();
  }
  function drawMarks() {
    const lists = groups(), styles = STYLES();
    state.cloud.draw({ x: coordinate(state.x), y: coordinate(state.y), kept: state.mask, filtering: filtering(),
      groups: drawnStatuses().map((s) => ({ status: s, rows: lists[s], style: styles[s], opacity: opacityOf(s, styles[s]), tint: tinted(styles[s].color) })) });
  }
  function drawThree(div) {
    if (state.cloud) state.cloud.draw(null);
    const layout = { ...C.layout, height: 452, margin: { l: 0, r: 0, t: 0, b: 0 }, hovermode: "closest", dragmode: "orbit", uirevision: state.x + state.y + state.z,
      scene: { xaxis: sceneAxis(state.x, state.xlog), yaxis: sceneAxis(state.y, state.ylog), zaxis: sceneAxis(state.z, false), camera: { eye: { x: 1.75, y: 1.75, z: 0.9 }, center: { x: 0, y: 0, z: -0.12 } }, aspectmode: "cube" } };
    Plotly.react(div, traces(state.mask), colours(layout), SETTINGS(["toImage", "orbitRotation", "resetCameraDefault3d"]));
    if (!div.dataset.listening) {
      div.dataset.listening = "1";
      div.on("plotly_click", (event) => choose(event.points[0].customdata));
    }
  }
  const leaving = () => ({ data: traces(state.mask), layout: colours(state.z ? find("scatter").layout : { ...flatLayout(), showlegend: true, hovermode: "closest", selections: [], margin: { l: 62, r: 12, t: 40, b: 50 } }) });
  const PICTURE = { name: "picture", title: "Save as SVG", icon: { width: 24, height: 24, path: "M12 16 L6 10 L9 10 L9 3 L15 3 L15 10 L18 10 Z M4 18 L20 18 L20 21 L4 21 Z" },
    click: () => Plotly.downloadImage(leaving(), { format: "svg", filename: "candidates", width: find("scatter").clientWidth, height: 470 }) };
  function sceneAxis(column, log) {
    const c = night() ? C.dark : C.light;
    const ticks = log ? { tickvals: C.coarse[0], ticktext: C.coarse[1] } : { nticks: 6 };
    return { ...ticks, title: { text: quantity(column).title, font: { size: 12 } }, tickfont: { size: 11 }, type: log ? "log" : "linear", color: c.text, gridcolor: c.muted, zerolinecolor: c.muted, backgroundcolor: "rgba(0,0,0,0)" };
  }
  /* A new box replaces the one before, or adds to it where shift is held. */
  function brush(found, adding) {
    timed("brush", () => {
      const kept = adding && state.box ? Uint8Array.from(state.box) : new Uint8Array(state.data.n);
      for (const i of found || []) kept[i] = 1;
      state.box = found && kept.some((k) => k) ? kept : null;
      refilter();
    });
  }

  /* ---- parallel coordinates ---- */
  function axesShown() {
    const { data } = state, objectives = data.objectives.map((o) => o.column);
    const costs = C.quantities.map((q) => q.column).filter((c) => !objectives.includes(c));
    const live = Object.keys(data.genes).filter((g) => data.genes[g].values.length > 1);
    if (state.axes === "costs") return [...objectives, ...costs];
    if (state.axes === "machine") return [...objectives, ...live.filter((g) => g.startsWith("machine."))];
    if (state.axes === "network") return [...objectives, ...live.filter((g) => !g.startsWith("machine."))].slice(0, 14);
    const ranked = (data.importances[state.importance] || []).map((g) => g[0]).filter((g) => live.includes(g));
    return [...objectives, "latency_ms", "area_mm2", ...(ranked.length ? ranked : live)].filter((c, i, all) => all.indexOf(c) === i).slice(0, 9);
  }
  function shortName(name) {
    if (state.data.metrics[name]) { const q = quantity(name); return q.name + "\n" + (name === "accuracy" ? "%" : q.unit || "count"); }
    const [layer, gene] = name.replace("machine.", "").replace("_buffer_kib", ".buffer (KiB)").replace("_", " ").split(".");
    return gene ? layer + "\n" + gene.replace(/_/g, " ") : layer.replace(" ", "\n");
  }
  function dimension(name) {
    const { data } = state, values = axisValues(name), gene = data.genes[name], found = { name, label: shortName(name), values };
    if (gene) {
      const none = gene.codes.some((c, i) => c < 0 && data.status[i] <= 2);
      const inRange = ([from, to]) => [...(none ? [[-1, "–"]] : []), ...gene.values.entries()].filter(([k]) => k >= from && k <= to).map(([, v]) => v).join(", ") || "none";
      return { ...found, low: none ? -1 : 0, high: Math.max(none ? 0 : 1, gene.values.length - 1), step: 1, words: inRange, ticks: [...(none ? [[-1, "–"]] : []), ...gene.values.map((v, k) => [k, String(v)])] };
    }
    let low = Infinity, high = -Infinity;
    for (const v of values) if (Number.isFinite(v)) { if (v < low) low = v; if (v > high) high = v; }
    const real = (v) => shownValue(name, name === "accuracy" ? v / 100 : Math.pow(10, v)), most = (high - low || 1) / 20;
    Object.assign(found, { low, high, step: most, words: ([from, to]) => real(Math.max(from, low)) + " to " + real(Math.min(to, high)) });
    if (!isCost(name)) {
      const step = high - low > 40 ? 20 : high - low > 15 ? 5 : high - low > 4 ? 2 : 0.5, ticks = [];
      for (let v = Math.ceil(low / step) * step; v <= high; v += step) ticks.push([v, String(Number(v.toFixed(1)))]);
      return { ...found, ticks };
    }
    const ticks = high - low < Math.log10(C.span) ? C.fine : C.coarse;
    return { ...found, ticks: ticks[0].map((v, k) => [Math.log10(v), ticks[1][k]]).filter(([v]) => v >= low && v <= high) };
  }
  function drawParallel() {
    const { data } = state, drawable = within("ranges"), names = axesShown(), plain = [], front = [];
    for (let i = 0; i < data.n; i++) if (drawable[i] && data.status[i] <= 2 && !names.some((c) => data.metrics[c] && Number.isNaN(data.metrics[c][i]))) (data.status[i] === 0 ? front : plain).push(i);
    const step = Math.max(1, Math.ceil(plain.length / MOST_LINES));
    find("parallel-note").textContent = step > 1 ? "One in " + step + " of " + plain.length.toLocaleString("en-US") + " dominated candidates is drawn, and all of the front; ranges hold for all." : "";
    const c = night() ? C.dark : C.light;
    state.parallel = state.parallel || new DseParallel(find("parallel"), {
      at: (axis, range) => { find("parallel-range").textContent = axis.label.replace("\n", " ") + ": " + (range ? axis.words(range) : "all"); },
      changed: (ranges) => timed("brush", () => {
        state.ranges = Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, [range]]));
        refilter();
      }),
    });
    state.parallel.draw({
      axes: names.map(dimension), lines: [...plain.filter((_, k) => k % step === 0), ...front], strong: (i) => data.status[i] === 0, kept: state.mask,
      ranges: Object.fromEntries(Object.entries(state.ranges).map(([name, [range]]) => [name, range])),
      colours: { ...c, front: C.blue, range: C.orange, font: C.layout.font.family },
    });
  }

  /* ---- growth and importance ---- */
  function drawGrowth() {
    const traces = state.data.traces.map((s, k) => ({ x: s.trace.map((t) => (state.growth === "trainings" ? t[0] : t[1])), y: s.trace.map((t) => t[2]), name: escape(s.name),
      mode: s.trace.length < 3 ? "lines+markers" : "lines", line: { color: C.palette[k % C.palette.length], width: 2, shape: "hv", dash: ["solid", "dash", "dot"][Math.floor(k / C.palette.length) % 3] }, hovertemplate: "%{y:.4f} after %{x:.4~g}<extra></extra>" }));
    const costs = state.data.objectives.filter((o) => o.direction === "minimise").length, shares = state.data.objectives.length - costs;
    const unit = [...Array(shares).fill("share"), ...(costs ? [costs === 1 ? "decades" : "decades^" + costs] : [])].join("·");
    const axis = (text) => ({ ...C.axis, automargin: false, title: { text, standoff: 8, font: { size: 12 } }, rangemode: "tozero" });
    Plotly.react(find("growth"), traces, colours({ ...C.layout, height: 196, margin: { l: 52, r: 10, t: state.data.traces.length > 1 ? 34 : 8, b: 42 }, showlegend: state.data.traces.length > 1,
      xaxis: axis(state.growth === "trainings" ? "trainings" : "time since the start (s)"), yaxis: { ...axis("hypervolume (" + unit + ")"), title: { text: "hypervolume<br>(" + unit + ")", standoff: 6, font: { size: 12 } } } }), SETTINGS(["toImage"]));
  }
  function drawImportance() {
    const genes = (state.data.importances[state.importance] || []).filter((g) => g[1] > 0).slice(0, 8);
    find("importance-note").textContent = genes.length ? (state.data.studies.length > 1 ? "Over the candidates of all " + state.data.studies.length + " studies." : "") : "No gene explains this objective on its own, or too few candidates are known.";
    const trace = { type: "bar", orientation: "h", x: genes.map((g) => 100 * g[1]), y: genes.map((g) => escape(g[0].replace("machine.", ""))), marker: { color: C.blue }, hovertemplate: "%{y}: %{x:.1f} %<extra></extra>" };
    Plotly.react(find("importance"), [trace], colours({ ...C.layout, height: 210, margin: { l: 110, r: 10, t: 6, b: 42 }, showlegend: false, bargap: 0.3,
      xaxis: { ...C.axis, automargin: false, title: { text: "variance explained alone (%)", standoff: 8, font: { size: 12 } }, rangemode: "tozero" }, yaxis: { ...C.axis, automargin: false, type: "category", autorange: "reversed", ticks: "" } }), SETTINGS(["toImage"]));
  }

  /* ---- table ---- */
  const harmless = (text) => (/^[=+\-@\t\r]/.test(text) ? "'" + text : text);
  function rows(mask) {
    const found = [];
    for (let i = 0; i < state.data.n; i++) if (mask[i]) found.push(row(i));
    return found;
  }
  function row(i) {
    const { data } = state, known = (v) => (Number.isNaN(v) ? null : v);
    const found = { i, id: data.ids[i], study: data.studies[data.study[i]], status: STATUS_WORDS[data.status[i]], network: data.networks[i], machine: data.machines[i] };
    for (const q of C.quantities) found[q.column] = known(data.metrics[q.column][i]);
    return found;
  }
  /* Rows hold only the place of a candidate; a cell is looked up when it is shown, sorted by, or filtered. */
  function columns() {
    const { data } = state, number = { type: "rightAligned", filter: "agNumberColumnFilter" };
    const text = (name, head, width, value, more) => ({ colId: name, headerName: head, width, filter: true, valueGetter: (p) => value(p.data.i), ...more });
    const metric = (q) => text(q.column, q.column === "accuracy" ? "Accuracy (%)" : q.title, 128, (i) => (Number.isNaN(data.metrics[q.column][i]) ? null : data.metrics[q.column][i]),
      { ...number, valueFormatter: (p) => (q.column === "accuracy" ? (p.value === null ? "–" : (100 * p.value).toFixed(1)) : amount(p.value)) });
    const gene = (name) => text(name, name, 140, (i) => (data.genes[name].codes[i] < 0 ? null : data.genes[name].values[data.genes[name].codes[i]]), data.genes[name].values.every((v) => typeof v === "number") ? number : {});
    return [
      text("id", "Candidate", 118, (i) => data.ids[i], { pinned: "left" }), ...(data.studies.length > 1 ? [text("study", "Study", 150, (i) => data.studies[data.study[i]])] : []),
      text("status", "Status", 116, (i) => STATUS_WORDS[data.status[i]]), ...C.quantities.map(metric),
      text("network", "Network", 380, (i) => data.networks[i]), text("machine", "Machine", 330, (i) => data.machines[i]), ...Object.keys(data.genes).map(gene),
    ];
  }
  async function buildTable() {
    const api = await dash_ag_grid.getApiAsync("table");
    if (!state.api) {
      state.api = api;
      api.setGridOption("isExternalFilterPresent", () => true);
      api.setGridOption("doesExternalFilterPass", (node) => !state.beside || state.beside[node.data.i] === 1);
      api.addEventListener("rowClicked", (event) => choose(event.data.i));
      api.addEventListener("filterChanged", (event) => { if (event.source !== "api") timed("brush", readTable); });
    }
    api.setGridOption("columnDefs", columns());
    api.setGridOption("rowData", state.data.ids.map((_, i) => ({ i })));
    if (Object.keys(api.getFilterModel()).length) readTable();
    find("explore").dataset.ready = "1";
  }
  /* What the filters of the table's own columns keep, whatever the other views filter. */
  function readTable() {
    const { api } = state;
    state.table = null;
    if (Object.keys(api.getFilterModel()).length) {
      state.beside = null;
      api.onFilterChanged();
      state.table = new Uint8Array(state.data.n);
      api.forEachNodeAfterFilter((node) => { state.table[node.data.i] = 1; });
    }
    refilter();
  }
  function drawTable() {
    state.beside = within("table");
    if (state.api) state.api.onFilterChanged();
  }
  function saveCsv() {
    const text = state.api.getDataAsCsv({ processCellCallback: (p) => (typeof p.value === "string" ? harmless(p.value) : p.value === null || p.value === undefined ? "" : String(p.value)) });
    save(text, "candidates.csv", "text/csv");
  }
  function save(text, name, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 2000);
  }

  /* ---- the whole view ---- */
  function counts() {
    let kept = 0, front = 0;
    for (let i = 0; i < state.data.n; i++) if (state.mask[i]) { kept += 1; front += state.data.status[i] === 0 ? 1 : 0; }
    const all = state.shown.reduce((sum, on, s) => sum + (on ? state.totals[s] : 0), 0);
    find("counts").textContent = kept.toLocaleString("en-US") + " of " + all.toLocaleString("en-US") + " candidates, " + front.toLocaleString("en-US") + " of them on the front";
    find("clear").disabled = !filtering();
    for (const output of document.querySelectorAll("[data-bound]")) boundText(output);
  }
  function refilter() {
    state.mask = within();
    counts();
    timed("marks", state.z ? drawScatter : drawMarks);
    timed("parallel", drawParallel);
    timed("table", drawTable);
  }
  function drawEverything() {
    if (!state.data || !state.data.n) return;
    state.mask = within();
    counts();
    drawLegend();
    timed("scatter", drawScatter);
    timed("parallel", drawParallel);
    timed("growth", drawGrowth);
    timed("importance", drawImportance);
    drawTable();
  }
  function option(select, value, text) {
    const found = document.createElement("option");
    found.value = value;
    found.textContent = text;
    select.append(found);
  }
  function fill(id, entries, value) {
    const select = find(id);
    select.replaceChildren();
    for (const [v, text] of entries) option(select, v, text);
    select.value = entries.some(([v]) => v === value) ? value : entries[0] ? entries[0][0] : "";
    return select.value;
  }
  function controls() {
    const { data } = state, quantities = C.quantities.map((q) => [q.column, q.title]);
    const objectives = data.objectives.map((o) => o.column);
    if (!state.x) {
      state.y = objectives.includes("accuracy") ? "accuracy" : objectives[objectives.length - 1];
      state.x = objectives.find((c) => c !== state.y) || "energy_uj";
      state.importance = state.x;
    }
    fill("x-axis", quantities, state.x);
    fill("y-axis", quantities, state.y);
    fill("z-axis", [["", "none (two axes)"], ...quantities], state.z);
    const genes = Object.keys(data.genes).filter((g) => data.genes[g].values.length > 1);
    state.colour = fill("colour-by", [["", "status"], ...(data.studies.length > 1 ? [["study", "study"]] : []), ...genes.map((g) => [g, g])], state.colour);
    state.importance = fill("importance-of", quantities, state.importance);
    state.totals = STATUS.map(() => 0);
    for (let i = 0; i < data.n; i++) state.totals[data.status[i]] += 1;
    const box = find("statuses");
    box.replaceChildren();
    STATUS_WORDS.forEach((words, s) => {
      const label = document.createElement("label"), input = document.createElement("input");
      input.type = "checkbox";
      input.checked = state.shown[s];
      input.dataset.status = STATUS[s];
      input.disabled = !state.totals[s];
      input.addEventListener("change", () => { state.shown[s] = input.checked; drawEverything(); });
      label.append(input, " " + words + " (" + state.totals[s].toLocaleString("en-US") + ")");
      box.append(label);
    });
    sliders();
  }
  const STEPS = 200;
  function extent(column) {
    let low = Infinity, high = -Infinity;
    for (const v of state.data.metrics[column]) if (Number.isFinite(v)) { if (v < low) low = v; if (v > high) high = v; }
    return [low, high];
  }
  function position(column, share) {
    const [low, high] = extent(column), log = column !== "accuracy" && low > 0;
    if (share <= 0) return low;
    if (share >= 1) return high;
    return log ? low * Math.pow(high / low, share) : low + share * (high - low);
  }
  function boundText(output) {
    const column = output.dataset.bound, bound = state.bounds[column];
    output.textContent = bound === undefined ? "any" : (quantity(column).maximise ? "≥ " : "≤ ") + shownValue(column, bound);
  }
  function sliders() {
    const box = find("sliders");
    if (box.children.length === C.quantities.length) return;
    box.replaceChildren();
    for (const q of C.quantities) {
      const label = document.createElement("label"), name = document.createElement("span"), output = document.createElement("output"), input = document.createElement("input");
      name.textContent = q.label;
      output.dataset.bound = q.column;
      Object.assign(input, { type: "range", min: 0, max: STEPS, value: q.maximise ? 0 : STEPS });
      input.dataset.column = q.column;
      let asked = 0;
      input.addEventListener("input", () => {
        const share = Number(input.value) / STEPS, open = q.maximise ? share <= 0 : share >= 1;
        if (open) delete state.bounds[q.column];
        else state.bounds[q.column] = position(q.column, share);
        cancelAnimationFrame(asked);
        asked = requestAnimationFrame(() => timed("brush", () => refilter()));
      });
      label.append(name, output, input);
      box.append(label);
    }
  }
  function clear() {
    state.box = null; state.table = null; state.bounds = {}; state.ranges = {};
    if (state.api) state.api.setFilterModel(null);
    for (const input of document.querySelectorAll("#sliders input")) input.value = quantity(input.dataset.column).maximise ? 0 : STEPS;
    Plotly.relayout(find("scatter"), { selections: [] });
    drawEverything();
  }
  function choose(i) {
    state.chosen = i;
    const { data } = state, study = data.studies[data.study[i]], open = data.status[i] <= 1;
    find("chosen-title").textContent = data.ids[i] + ", " + STATUS_WORDS[data.status[i]];
    find("chosen-words").textContent = data.networks[i] + (data.machines[i] ? " on " + data.machines[i] : "");
    find("open-candidate").disabled = find("add-candidate").disabled = !open;
    find("open-candidate").dataset.href = "candidate?study=" + encodeURIComponent(study) + "&id=" + encodeURIComponent(data.ids[i]);
    find("chosen").hidden = false;
  }
  function go(href) {
    window.history.pushState({}, "", find("explore-config").dataset.base + href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }
  function tray() {
    const box = find("tray");
    box.replaceChildren();
    state.compare.forEach((c, place) => {
      const chip = document.createElement("button");
      chip.textContent = c.id + " ×";
      chip.title = "take " + c.id + " of " + c.study + " out of the comparison";
      chip.addEventListener("click", () => { state.compare.splice(place, 1); tray(); });
      box.append(chip);
    });
    find("compare").disabled = state.compare.length < 2;
    find("compare").textContent = "Compare " + (state.compare.length || "");
  }
  function add() {
    const { data } = state, i = state.chosen, study = data.studies[data.study[i]];
    if (state.compare.length < 4 && !state.compare.some((c) => c.study === study && c.id === data.ids[i])) state.compare.push({ study, id: data.ids[i] });
    tray();
  }
  async function standalone() {
    const plotly = await (await fetch(document.querySelector("script[data-plotly]").src)).text();
    const picture = find("parallel").firstChild.toDataURL("image/png");
    const title_of = (id) => find(id).getAttribute("aria-label");
    const figures = [{ title: title_of("scatter"), ...leaving() }, ...["growth", "importance"].map((id) => ({ title: title_of(id), data: find(id).data, layout: find(id).layout }))];
    const safe = (data) => JSON.stringify(data, (k, v) => (ArrayBuffer.isView(v) ? Array.from(v) : typeof v === "number" && !Number.isFinite(v) ? null : v)).replace(/</g, "\\u003c");
    const heads = ["Candidate", "Study", "Status", ...C.quantities.map((q) => q.title), "Network", "Machine"];
    const kept = rows(state.mask), most = kept.slice(0, 1000);
    const cells = (r) => [r.id, r.study, r.status, ...C.quantities.map((q) => (q.column === "accuracy" ? amount(r.accuracy === null ? null : 100 * r.accuracy) : amount(r[q.column]))), r.network, r.machine];
    const table = "<div class='scroll'><table><thead><tr>" + heads.map((h) => "<th>" + escape(h) + "</th>").join("") + "</tr></thead><tbody>" + most.map((r) => "<tr>" + cells(r).map((c) => "<td>" + escape(c) + "</td>").join("") + "</tr>").join("") + "</tbody></table></div>";
    const more = kept.length > most.length ? "<p class='muted'>The first " + most.length + " of " + kept.length + " candidates.</p>" : "";
    const title = escape(state.data.studies.join(", "));
    const page = "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta http-equiv='Content-Security-Policy' content=\"" + C.policy + "\"><title>" + title + "</title><style>" + C.style + "</style><script>" + plotly + "<\/script></head><body><main><header><h1>" + title + "</h1><p>"
      + escape(find("counts").textContent) + " · view saved " + new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC</p></header>"
      + figures.map((f, k) => "<section><h2>" + escape(f.title) + "</h2><div id='f" + k + "'></div></section>").join("") + "<section><h2>" + escape(find("parallel").getAttribute("aria-label")) + "</h2><img alt='' style='max-width:100%' src='" + picture + "'></section><section><h2>Candidates</h2>" + more + table + "</section></main><script id='figures' type='application/json'>" + safe(figures) + "<\/script><script>"
      + "JSON.parse(document.getElementById('figures').textContent).forEach((f,k)=>Plotly.newPlot('f'+k,f.data,Object.assign(f.layout,{width:undefined,autosize:true}),{displaylogo:false,responsive:true}));<\/script></body></html>\n";
    save(page, "dashboard-view.html", "text/html");
  }
  function bind() {
    if (find("explore").dataset.wired) return;
    find("explore").dataset.wired = "1";
    const on = (id, event, work) => find(id).addEventListener(event, work);
    on("x-axis", "change", (e) => { state.x = e.target.value; drawScatter(); });
    on("y-axis", "change", (e) => { state.y = e.target.value; drawScatter(); });
    on("z-axis", "change", (e) => { state.z = e.target.value; Plotly.purge(find("scatter")); delete find("scatter").dataset.listening; state.mask = within(); drawScatter(); });
    on("x-scale", "change", (e) => { state.xlog = e.target.value === "log"; drawScatter(); });
    on("y-scale", "change", (e) => { state.ylog = e.target.value === "log"; drawScatter(); });
    on("colour-by", "change", (e) => { state.colour = e.target.value; drawLegend(); drawScatter(); });
    on("growth-over", "change", (e) => { state.growth = e.target.value; drawGrowth(); });
    on("importance-of", "change", (e) => { state.importance = e.target.value; drawImportance(); drawParallel(); });
    on("axes-shown", "change", (e) => { state.axes = e.target.value; state.ranges = {}; state.mask = within(); refilter(); });
    on("clear", "click", clear);
    on("save-csv", "click", saveCsv);
    on("save-html", "click", standalone);
    on("open-candidate", "click", (e) => go(e.target.dataset.href));
    on("add-candidate", "click", add);
    on("compare", "click", () => go("compare?" + state.compare.map((c) => "study=" + encodeURIComponent(c.study) + "&id=" + encodeURIComponent(c.id)).join("&")));
    tray();
  }
  function receive({ studies, importances }) {
    timed("open", () => {
      const picked = state.box ? new Set(state.data.ids.map((_, i) => i).filter((i) => state.box[i]).map(key)) : null;
      const chosen = state.data && state.chosen !== null ? key(state.chosen) : null;
      for (const s of studies) for (const o of s.objectives) if (!C.quantities.some((q) => q.column === o.column)) C.quantities.push(o);
      state.data = timed("merge", () => merge(studies, importances));
      const empty = !state.data.n;
      find("explore-body").hidden = empty;
      find("explore-empty").hidden = !empty || !studies.length;
      if (empty) { find("explore").dataset.ready = "1"; return; }
      if (picked) { state.box = new Uint8Array(state.data.n); for (let i = 0; i < state.data.n; i++) if (picked.has(key(i))) state.box[i] = 1; }
      state.table = null;
      if (chosen !== null) { state.chosen = state.data.ids.findIndex((_, i) => key(i) === chosen); if (state.chosen < 0) { state.chosen = null; find("chosen").hidden = true; } }
      bind();
      controls();
      drawEverything();
      buildTable();
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
    C = C || config();
    return receive(found);
  }

  /* ---- light and dark ---- */
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
  window.dseState = state;
  document.addEventListener("click", (event) => {
    if (event.target.closest("#theme")) change();
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.textContent = "copied"; setTimeout(() => { copy.textContent = "copy"; }, 1500); });
  });
  plotlyHere().then(() => { if (find("explore-config")) { C = C || config(); drawSpecs(); } });
  dark.addEventListener("change", redrawAll);
  new MutationObserver(() => { if (find("explore-config") && window.Plotly) { C = C || config(); drawSpecs(); } if (find("theme") && !find("theme").textContent) wear(worn()); }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-figure"] });
})();
