/* The scatter: axes by plotly, marks on a canvas (cloud.js), three axes by plotly alone. */
(function () {
  "use strict";
  const { SETTINGS, STATUS, STATUS_WORDS, colours, escape, find, night, quantity, shownValue, state, timed } = Dse;

  function hover(i) {
    const { data } = state;
    const lines = ["<b>" + escape(data.ids[i]) + "</b>" + (data.studies.length > 1 ? " of " + escape(data.studies[data.study[i]]) : "") + ", " + STATUS_WORDS[data.status[i]]];
    for (const part of [data.networks[i], data.machines[i]]) if (part) lines.push(...wrapped(escape(part)));
    for (const q of Dse.config.quantities) {
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
    const values = state.data.metrics[column], scale = column === "accuracy" ? 100 : 1, [low, high] = Dse.extent(column);
    const log = column === state.x ? state.xlog : column === state.y ? state.ylog : false, cost = !quantity(column).maximise;
    const edge = !(high >= low) ? 1 : cost ? (log ? high * Math.pow(high / low, 0.06) : high + 0.06 * (high - low)) : (log ? low * 0.97 : low - 0.06 * (high - low));
    return (i) => scale * (Number.isFinite(values[i]) ? values[i] : edge);
  }
  /* Colour of a candidate: by status, study or gene, rising values along the ramp. */
  function tinted(base) {
    const { data } = state, name = state.colour, gene = data.genes[name];
    if (name === "study") return (i) => Dse.config.palette[data.study[i] % Dse.config.palette.length];
    if (!gene) return () => base;
    const ordered = gene.values.length > Dse.config.palette.length || gene.values.every((v) => typeof v === "number");
    const tint = gene.values.map((_, code) => (ordered ? ramp(code / Math.max(1, gene.values.length - 1)) : Dse.config.palette[code]));
    return (i) => (gene.codes[i] < 0 ? Dse.config.grey : tint[gene.codes[i]]);
  }
  const ramp = (share) => Dse.config.ramp[Math.round(share * (Dse.config.ramp.length - 1))];
  function drawLegend() {
    const box = find("colour-legend"), name = state.colour, gene = state.data.genes[name], values = name === "study" ? state.data.studies : gene ? gene.values : [];
    const ordered = gene && (values.length > Dse.config.palette.length || values.every((v) => typeof v === "number"));
    const marks = name ? values.map((value, code) => [String(value), swatch(ordered ? ramp(code / Math.max(1, values.length - 1)) : Dse.config.palette[code % Dse.config.palette.length])])
      : drawnStatuses().reverse().map((s) => [STYLES()[s].name, DseCloud.stamp(STYLES()[s], STYLES()[s].color, 1)]);
    box.replaceChildren(...marks.slice(0, 12).map(([text, mark]) => { const label = document.createElement("span"); label.append(mark, document.createTextNode(text)); return label; }));
  }
  function swatch(colour) {
    const mark = document.createElement("i");
    mark.style.background = colour;
    return mark;
  }
  const STYLES = () => [
    { name: "front", color: Dse.config.blue, size: 10, symbol: "circle", opacity: 1, outline: (night() ? Dse.config.dark : Dse.config.light).card },
    { name: "dominated", color: Dse.config.grey, size: 5, symbol: "circle", opacity: 0.4 },
    { name: "breaks a constraint", color: Dse.config.purple, size: 6, symbol: "triangle", opacity: 0.6 },
    { name: "no machine (at the edge)", color: Dse.config.orange, size: 8, symbol: "diamond", opacity: 0.8 },
    { name: "failed (in the corner)", color: Dse.config.vermilion, size: 7, symbol: "cross", opacity: 0.8 },
  ];
  const PLOTLY_SYMBOLS = { circle: "circle", triangle: "triangle-up", diamond: "diamond", cross: "x" };
  const drawnStatuses = () => [1, 2, 3, 4, 0].filter((s) => state.shown[s] && state.totals[s]);
  /* The marks as plotly has them: for three axes, and for a picture or a page that leaves the dashboard. */
  function traces(mask) {
    const lists = groups(), x = coordinate(state.x), y = coordinate(state.y), z = state.z && coordinate(state.z);
    return drawnStatuses().map((s) => {
      const style = STYLES()[s], list = lists[s].filter((i) => mask[i]), tint = tinted(style.color);
      const marker = { size: z ? style.size / 2.4 : style.size, opacity: opacityOf(s, style), symbol: z ? (s === 4 ? "x" : "circle") : PLOTLY_SYMBOLS[style.symbol], line: { width: style.outline ? 1 : 0, color: style.outline }, color: list.map(tint) };
      const trace = { type: z ? "scatter3d" : list.length > Dse.config.webgl_from ? "scattergl" : "scatter", x: list.map(x), y: list.map(y), mode: "markers", name: style.name + " (" + list.length.toLocaleString("en-US") + ")", text: list.map(hover), hovertemplate: "%{text}<extra></extra>", customdata: list, marker };
      return z ? { ...trace, z: list.map(z) } : trace;
    });
  }
  const opacityOf = (s, style) => (state.colour && s === 1 ? 0.65 : style.opacity);
  function axisLayout(column, log) {
    const q = quantity(column), c = { ...Dse.config.axis, automargin: false, title: { text: q.title, standoff: 10, font: { size: 13 } }, type: log ? "log" : "linear" };
    const at = coordinate(column), on = (v) => (log ? Math.log10(v) : v);
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < state.data.n; i++) if (state.shown[state.data.status[i]]) { const v = on(at(i)); if (v < low) low = v; if (v > high) high = v; }
    const room = high > low ? 0.045 * (high - low) : log ? 0.2 : 0.1 * Math.abs(high) || 1;
    if (high >= low) c.range = [low - room, high + room];
    if (log && column !== "accuracy" && high >= low) {
      const ticks = high - low < Math.log10(Dse.config.span) ? Dse.config.fine : Dse.config.coarse;
      Object.assign(c, { tickvals: ticks[0], ticktext: ticks[1] });
    }
    return c;
  }
  function flatLayout() {
    return { ...Dse.config.layout, height: 452, margin: { l: 62, r: 12, t: 10, b: 50 }, hovermode: false, dragmode: "select", showlegend: false, xaxis: axisLayout(state.x, state.xlog), yaxis: axisLayout(state.y, state.ylog),
      uirevision: state.x + state.y + state.xlog + state.ylog, selectionrevision: "kept", newselection: { line: { color: Dse.config.orange, width: 1.5, dash: "solid" } } };
  }
  /* Axes, zoom and box are plotly's; the marks are on the canvas below, since plotly's need seconds. */
  function drawScatter() {
    const div = find("scatter"), flat = !state.z;
    find("cloud").hidden = !flat;
    if (!flat) { drawThree(div); return; }
    Plotly.react(div, [{ x: [null], y: [null], type: "scatter", mode: "markers", hoverinfo: "skip" }], colours(flatLayout()), SETTINGS([PICTURE, "select2d", "lasso2d", "zoom2d", "pan2d", "resetScale2d"]));
    if (!div.dataset.listening) {
      div.dataset.listening = "1";
      state.cloud = state.cloud || new DseCloud(find("cloud"), div, { hover, chosen: Dse.choose, brushed: brush });
      state.cloud.listen();
    }
    drawMarks();
  }
  function drawMarks() {
    const lists = groups(), styles = STYLES();
    state.cloud.draw({ x: coordinate(state.x), y: coordinate(state.y), kept: state.mask, filtering: Dse.filtering(),
      groups: drawnStatuses().map((s) => ({ status: s, rows: lists[s], style: styles[s], opacity: opacityOf(s, styles[s]), tint: tinted(styles[s].color) })) });
  }
  function drawThree(div) {
    if (state.cloud) state.cloud.draw(null);
    const layout = { ...Dse.config.layout, height: 452, margin: { l: 0, r: 0, t: 0, b: 0 }, hovermode: "closest", dragmode: "orbit", uirevision: state.x + state.y + state.z,
      scene: { xaxis: sceneAxis(state.x, state.xlog), yaxis: sceneAxis(state.y, state.ylog), zaxis: sceneAxis(state.z, false), camera: { eye: { x: 1.75, y: 1.75, z: 0.9 }, center: { x: 0, y: 0, z: -0.12 } }, aspectmode: "cube" } };
    Plotly.react(div, traces(state.mask), colours(layout), SETTINGS(["toImage", "orbitRotation", "resetCameraDefault3d"]));
    if (!div.dataset.listening) {
      div.dataset.listening = "1";
      div.on("plotly_click", (event) => Dse.choose(event.points[0].customdata));
    }
  }
  const leaving = () => ({ data: traces(state.mask), layout: colours(state.z ? find("scatter").layout : { ...flatLayout(), showlegend: true, hovermode: "closest", selections: [], margin: { l: 62, r: 12, t: 40, b: 50 } }) });
  const PICTURE = { name: "picture", title: "Save as SVG", icon: { width: 24, height: 24, path: "M12 16 L6 10 L9 10 L9 3 L15 3 L15 10 L18 10 Z M4 18 L20 18 L20 21 L4 21 Z" },
    click: () => Plotly.downloadImage(leaving(), { format: "svg", filename: "candidates", width: find("scatter").clientWidth, height: 470 }) };
  function sceneAxis(column, log) {
    const c = night() ? Dse.config.dark : Dse.config.light;
    const ticks = log ? { tickvals: Dse.config.coarse[0], ticktext: Dse.config.coarse[1] } : { nticks: 6 };
    return { ...ticks, title: { text: quantity(column).title, font: { size: 12 } }, tickfont: { size: 11 }, type: log ? "log" : "linear", color: c.text, gridcolor: c.muted, zerolinecolor: c.muted, backgroundcolor: "rgba(0,0,0,0)" };
  }
  /* A new box replaces the one before, or adds to it where shift is held. */
  function brush(found, adding) {
    timed("brush", () => {
      const kept = adding && state.box ? Uint8Array.from(state.box) : new Uint8Array(state.data.n);
      for (const i of found || []) kept[i] = 1;
      state.box = found && kept.some((k) => k) ? kept : null;
      Dse.refilter();
    });
  }

  Object.assign(Dse, { drawLegend, drawMarks, drawScatter, leaving });
})();
