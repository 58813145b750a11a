/* The columns of all studies as one set of arrays, and the filters over them. */
(function () {
  "use strict";
  const { quantity, state } = Dse;

  function merge(studies, importances) {
    const n = studies.reduce((sum, s) => sum + s.ids.length, 0);
    const data = { n, studies: studies.map((s) => s.study), ids: [], study: new Int32Array(n), status: new Uint8Array(n),
      metrics: {}, genes: {}, networks: [], machines: [], traces: studies.map((s) => ({ name: s.study, trace: s.trace })),
      importances, objectives: studies[0] ? studies[0].objectives : [] };
    for (const q of Dse.config.quantities) data.metrics[q.column] = new Float64Array(n).fill(NaN);
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

  const filtering = () => state.box !== null || state.table !== null || Object.keys(state.bounds).length > 0 || Object.keys(state.ranges).length > 0;
  function extent(column) {
    let low = Infinity, high = -Infinity;
    for (const v of state.data.metrics[column]) if (Number.isFinite(v)) { if (v < low) low = v; if (v > high) high = v; }
    return [low, high];
  }

  Object.assign(Dse, { axisValues, extent, filtering, isCost, key, merge, within });
})();
