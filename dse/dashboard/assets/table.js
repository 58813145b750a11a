/* The table of candidates: its filters hold for every view, and theirs for it. */
(function () {
  "use strict";
  const { STATUS_WORDS, amount, find, state, timed } = Dse;

  function row(i) {
    const { data } = state, known = (v) => (Number.isNaN(v) ? null : v);
    const found = { i, id: data.ids[i], study: data.studies[data.study[i]], status: STATUS_WORDS[data.status[i]], network: data.networks[i], machine: data.machines[i] };
    for (const q of Dse.config.quantities) found[q.column] = known(data.metrics[q.column][i]);
    return found;
  }
  function rows(mask) {
    const found = [];
    for (let i = 0; i < state.data.n; i++) if (mask[i]) found.push(row(i));
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
      text("status", "Status", 116, (i) => STATUS_WORDS[data.status[i]]), ...Dse.config.quantities.map(metric),
      text("network", "Network", 380, (i) => data.networks[i]), text("machine", "Machine", 330, (i) => data.machines[i]), ...Object.keys(data.genes).map(gene),
    ];
  }
  async function buildTable() {
    const api = await dash_ag_grid.getApiAsync("table");
    if (!state.api) {
      state.api = api;
      api.setGridOption("isExternalFilterPresent", () => true);
      api.setGridOption("doesExternalFilterPass", (node) => !state.beside || state.beside[node.data.i] === 1);
      api.addEventListener("rowClicked", (event) => Dse.choose(event.data.i));
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
    Dse.refilter();
  }
  function drawTable() {
    state.beside = Dse.within("table");
    if (state.api) state.api.onFilterChanged();
  }

  Object.assign(Dse, { buildTable, drawTable, rows });
})();
