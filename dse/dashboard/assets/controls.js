/* Selections, sliders, the chosen candidate and the tray of those to compare. */
(function () {
  "use strict";
  const { STATUS, STATUS_WORDS, find, quantity, shownValue, state, timed } = Dse;

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
    const { data } = state, quantities = Dse.config.quantities.map((q) => [q.column, q.title]);
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
      input.addEventListener("change", () => { state.shown[s] = input.checked; Dse.drawEverything(); });
      label.append(input, " " + words + " (" + state.totals[s].toLocaleString("en-US") + ")");
      box.append(label);
    });
    sliders();
  }
  const STEPS = 200;
  function position(column, share) {
    const [low, high] = Dse.extent(column), log = column !== "accuracy" && low > 0;
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
    if (box.children.length === Dse.config.quantities.length) return;
    box.replaceChildren();
    for (const q of Dse.config.quantities) {
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
        asked = requestAnimationFrame(() => timed("brush", () => Dse.refilter()));
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
    Dse.drawEverything();
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

  Object.assign(Dse, { add, boundText, choose, clear, controls, go, tray });
})();
