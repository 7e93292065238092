// The table of configurations and of runs.

const METRICS_SHOWN = 8, OPTIONS = 24;

function summaryText(summary, form) {
  if (!summary) return ABSENT;
  const [mean, n, sd, low, high, excluded] = summary;
  const left = excluded ? `, ${excluded} not finite` : "";
  const seeds = ` (${n}${left})`;
  if (form === "interval") {
    return `${number(mean)}${low === undefined || low === null ? "" : ` [${number(low)}, ${number(high)}]`}${seeds}`;
  }
  return `${number(mean)}${sd === undefined || sd === null ? "" : ` ± ${number(sd)}`}${seeds}`;
}

function imagesText(row) {
  if (row.images === undefined) return ABSENT;
  if (!Array.isArray(row.images)) return count(row.images);
  const [low, high] = row.images;
  return low === high ? count(low) : `${count(low)} to ${count(high)}`;
}

function first(value) {
  return Array.isArray(value) ? value[0] : value;
}

function resultsSection() {
  const hidden = new Map(); // a column's title to whether it is hidden, once that was said
  const filters = new Map(); // a key to what its value has to be
  let kind = "configurations", form = "spread", wanted = "";
  const table = dataTable("Results", []);
  const folded = el("details", { class: "more" }), columnsFold = el("details", { class: "more" });
  const failing = DATA.runs.filter((run) => run.status !== "finished");

  const rowsOf = () => (kind === "configurations" ? DATA.groups : DATA.runs);
  const seedsOf = (row) => (row.seeds !== undefined ? row.seeds : row.seed === null || row.seed === undefined ? "all" : String(row.seed));

  function metricColumn(metric, place) {
    const configurations = kind === "configurations";
    const number_ = (row) => (row.metrics[place] === undefined ? null : row.metrics[place]);
    const better = metric.higher === null ? "" : metric.higher ? ", more is better" : ", less is better";
    return {
      title: `${metric.name}${better}`,
      numeric: true,
      standard: metric.reported && place < METRICS_SHOWN,
      text: (row) => (configurations ? summaryText(number_(row), form) : number(number_(row))),
      value: (row) => (typeof number_(row) === "string" ? null : first(number_(row))),
    };
  }

  function columnsOf() {
    const runs = kind === "runs";
    const found = [{ title: runs ? "run" : "configuration", standard: true, text: (row) => row.name, value: (row) => row.name }];
    if (runs) {
      found.push(
        { title: "status", standard: true, text: (row) => row.status, mark: (row) => `status-${row.status}` },
        { title: "reason", standard: failing.length > 0, text: (row) => row.reason || "" },
        { title: "configuration", standard: true, text: (row) => (row.group === null ? ABSENT : DATA.groups[row.group].name) });
    }
    for (const key of DATA.keys) {
      found.push({ title: key, standard: DATA.keys.length <= 6 && key !== "arm", text: (row) => row.values[key] ?? ABSENT });
    }
    found.push({ title: runs ? "seed" : "seeds", standard: true, numeric: runs, text: seedsOf });
    DATA.metrics.forEach((metric, place) => found.push(metricColumn(metric, place)));
    found.push(
      { title: "images seen", standard: true, numeric: true, text: imagesText, value: (row) => first(row.images) ?? null },
      { title: "time", standard: true, numeric: true, text: (row) => duration(row.seconds), value: (row) => row.seconds ?? null });
    if (runs) found.push({ title: "command", standard: false, text: (row) => row.command || "" });
    for (const column of found) column.hidden = hidden.get(column.title) ?? !column.standard;
    found[0].hidden = false;
    return found;
  }

  let columns = columnsOf();

  function matches(row) {
    for (const [key, { value, exact }] of filters) {
      if (value === "") continue;
      const own = key === "status" ? row.status || "finished" : row.values[key] ?? ABSENT;
      if (exact ? own !== value : !own.toLowerCase().includes(value.toLowerCase())) return false;
    }
    if (!wanted) return true;
    return columns.some((column) => column.text(row).toLowerCase().includes(wanted));
  }

  function draw() {
    table.show(rowsOf().filter(matches), rowsOf().length);
  }

  function redraw() {
    columns = columnsOf();
    table.columns(columns);
    drawFilters();
    drawColumns();
    draw();
  }

  function filterOf(key, texts) {
    const values = [...new Set(texts)].sort(ordered);
    if (values.length <= OPTIONS && !values.includes(filters.get(key)?.value)) filters.delete(key);
    const known = filters.get(key)?.value ?? "";
    if (values.length <= OPTIONS) {
      return labelled(key, select([["", "any"], ...values], known, (value) => {
        filters.set(key, { value, exact: true });
        draw();
      }));
    }
    const box = el("input", { type: "search", placeholder: "contains", value: known });
    box.addEventListener("input", () => { filters.set(key, { value: box.value.trim(), exact: false }); draw(); });
    return labelled(key, box);
  }

  function drawFilters() {
    const rows = rowsOf();
    const fields = DATA.keys.map((key) => filterOf(key, rows.map((row) => row.values[key] ?? ABSENT)));
    if (kind === "runs") fields.unshift(filterOf("status", rows.map((row) => row.status)));
    else filters.delete("status");
    const clear = el("button", { type: "button", onclick: () => {
      filters.clear();
      wanted = search.value = "";
      drawFilters();
      draw();
    } }, "Clear filters");
    folded.replaceChildren(el("summary", {}, "Filter by key"), el("div", { class: "fields" }, ...fields), clear);
    folded.hidden = fields.length === 0;
  }

  function drawColumns() {
    const items = columns.slice(1).map((column) => checkbox(column.title, !column.hidden, (on) => {
      hidden.set(column.title, !on);
      column.hidden = !on;
      draw();
    }));
    const reset = el("button", { type: "button", onclick: () => { hidden.clear(); redraw(); } }, "Usual columns");
    columnsFold.replaceChildren(el("summary", {}, "Columns"), el("div", { class: "checks" }, ...items), reset);
  }

  const search = el("input", { type: "search" });
  search.addEventListener("input", () => { wanted = search.value.trim().toLowerCase(); draw(); });
  const rowsChoice = choice("Rows", [["configurations", "configurations"], ["runs", "runs"]], kind, (value) => { kind = value; redraw(); });
  const formField = labelled("Numbers", select(
    [["spread", "mean ± SD (seeds)"], ["interval", `mean [${DATA.confidence} interval] (seeds)`]], form,
    (value) => { form = value; draw(); }));
  const controls = el("div", { class: "controls" }, rowsChoice, labelled("Search in all columns", search), formField);
  if (failing.length) {
    controls.append(el("button", { type: "button", onclick: () => {
      rowsChoice.querySelector("[value=runs]").checked = true;
      kind = "runs";
      redraw();
      draw();
      table.show(failing, DATA.runs.length);
    } }, `Show the ${failing.length} that ${failing.length === 1 ? "is" : "are"} not finished`));
  }
  redraw();
  return el("div", {}, controls, el("div", { class: "folds" }, folded, columnsFold), table.node,
    el("p", { class: "hint" }, "Headings sort. Numbers are short here; results.csv beside this page has them in full. ",
      `Intervals are ${DATA.confidence} t intervals of the mean over seeds, not corrected for the number of comparisons.`));
}
