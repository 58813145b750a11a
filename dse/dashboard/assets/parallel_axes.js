/* Which axes the parallel coordinates (parallel.js) have, and what their ranges mean. */
(function () {
  "use strict";
  const { MOST_LINES, find, night, quantity, shownValue, state, timed } = Dse;

  function axesShown() {
    const { data } = state, objectives = data.objectives.map((o) => o.column);
    const costs = Dse.config.quantities.map((q) => q.column).filter((c) => !objectives.includes(c));
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
    const { data } = state, values = Dse.axisValues(name), gene = data.genes[name], found = { name, label: shortName(name), values };
    if (gene) {
      const none = gene.codes.some((c, i) => c < 0 && data.status[i] <= 2);
      const inRange = ([from, to]) => [...(none ? [[-1, "–"]] : []), ...gene.values.entries()].filter(([k]) => k >= from && k <= to).map(([, v]) => v).join(", ") || "none";
      return { ...found, low: none ? -1 : 0, high: Math.max(none ? 0 : 1, gene.values.length - 1), step: 1, words: inRange, ticks: [...(none ? [[-1, "–"]] : []), ...gene.values.map((v, k) => [k, String(v)])] };
    }
    let low = Infinity, high = -Infinity;
    for (const v of values) if (Number.isFinite(v)) { if (v < low) low = v; if (v > high) high = v; }
    const real = (v) => shownValue(name, name === "accuracy" ? v / 100 : Math.pow(10, v)), most = (high - low || 1) / 20;
    Object.assign(found, { low, high, step: most, words: ([from, to]) => real(Math.max(from, low)) + " to " + real(Math.min(to, high)) });
    if (!Dse.isCost(name)) {
      const step = high - low > 40 ? 20 : high - low > 15 ? 5 : high - low > 4 ? 2 : 0.5, ticks = [];
      for (let v = Math.ceil(low / step) * step; v <= high; v += step) ticks.push([v, String(Number(v.toFixed(1)))]);
      return { ...found, ticks };
    }
    const ticks = high - low < Math.log10(Dse.config.span) ? Dse.config.fine : Dse.config.coarse;
    return { ...found, ticks: ticks[0].map((v, k) => [Math.log10(v), ticks[1][k]]).filter(([v]) => v >= low && v <= high) };
  }
  function drawParallel() {
    const { data } = state, drawable = Dse.within("ranges"), names = axesShown(), plain = [], front = [];
    for (let i = 0; i < data.n; i++) if (drawable[i] && data.status[i] <= 2 && !names.some((c) => data.metrics[c] && Number.isNaN(data.metrics[c][i]))) (data.status[i] === 0 ? front : plain).push(i);
    const step = Math.max(1, Math.ceil(plain.length / MOST_LINES));
    find("parallel-note").textContent = step > 1 ? "One in " + step + " of " + plain.length.toLocaleString("en-US") + " dominated candidates is drawn, and all of the front; ranges hold for all." : "";
    const c = night() ? Dse.config.dark : Dse.config.light;
    state.parallel = state.parallel || new DseParallel(find("parallel"), {
      at: (axis, range) => { find("parallel-range").textContent = axis.label.replace("\n", " ") + ": " + (range ? axis.words(range) : "all"); },
      changed: (ranges) => timed("brush", () => {
        state.ranges = Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, [range]]));
        Dse.refilter();
      }),
    });
    state.parallel.draw({
      axes: names.map(dimension), lines: [...plain.filter((_, k) => k % step === 0), ...front], strong: (i) => data.status[i] === 0, kept: state.mask,
      ranges: Object.fromEntries(Object.entries(state.ranges).map(([name, [range]]) => [name, range])),
      colours: { ...c, front: Dse.config.blue, range: Dse.config.orange, font: Dse.config.layout.font.family },
    });
  }

  Object.assign(Dse, { drawParallel });
})();
