/* What leaves the dashboard: the table as CSV, and the view as one file that loads nothing. */
(function () {
  "use strict";
  const { amount, escape, find, state } = Dse;

  const harmless = (text) => (/^[=+\-@\t\r]/.test(text) ? "'" + text : text);
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

  async function standalone() {
    const plotly = await (await fetch(document.querySelector("script[data-plotly]").src)).text();
    const picture = find("parallel").firstChild.toDataURL("image/png");
    const title_of = (id) => find(id).getAttribute("aria-label");
    const figures = [{ title: title_of("scatter"), ...Dse.leaving() }, ...["growth", "importance"].map((id) => ({ title: title_of(id), data: find(id).data, layout: find(id).layout }))];
    const safe = (data) => JSON.stringify(data, (k, v) => (ArrayBuffer.isView(v) ? Array.from(v) : typeof v === "number" && !Number.isFinite(v) ? null : v)).replace(/</g, "\\u003c");
    const heads = ["Candidate", "Study", "Status", ...Dse.config.quantities.map((q) => q.title), "Network", "Machine"];
    const kept = Dse.rows(state.mask), most = kept.slice(0, 1000);
    const cells = (r) => [r.id, r.study, r.status, ...Dse.config.quantities.map((q) => (q.column === "accuracy" ? amount(r.accuracy === null ? null : 100 * r.accuracy) : amount(r[q.column]))), r.network, r.machine];
    const table = "<div class='scroll'><table><thead><tr>" + heads.map((h) => "<th>" + escape(h) + "</th>").join("") + "</tr></thead><tbody>" + most.map((r) => "<tr>" + cells(r).map((c) => "<td>" + escape(c) + "</td>").join("") + "</tr>").join("") + "</tbody></table></div>";
    const more = kept.length > most.length ? "<p class='muted'>The first " + most.length + " of " + kept.length + " candidates.</p>" : "";
    const title = escape(state.data.studies.join(", "));
    const page = "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta http-equiv='Content-Security-Policy' content=\"" + Dse.config.policy + "\"><title>" + title + "</title><style>" + Dse.config.style + "</style><script>" + plotly + "<\/script></head><body><main><header><h1>" + title + "</h1><p>"
      + escape(find("counts").textContent) + " · view saved " + new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC</p></header>"
      + figures.map((f, k) => "<section><h2>" + escape(f.title) + "</h2><div id='f" + k + "'></div></section>").join("") + "<section><h2>" + escape(find("parallel").getAttribute("aria-label")) + "</h2><img alt='' style='max-width:100%' src='" + picture + "'></section><section><h2>Candidates</h2>" + more + table + "</section></main><script id='figures' type='application/json'>" + safe(figures) + "<\/script><script>"
      + "JSON.parse(document.getElementById('figures').textContent).forEach((f,k)=>Plotly.newPlot('f'+k,f.data,Object.assign(f.layout,{width:undefined,autosize:true}),{displaylogo:false,responsive:true}));<\/script></body></html>\n";
    save(page, "dashboard-view.html", "text/html");
  }

  Object.assign(Dse, { saveCsv, standalone });
})();
