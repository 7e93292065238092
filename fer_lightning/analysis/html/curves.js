// Learning curves over images seen: the mean over seeds in a band from the least to the greatest.

function curveSeries(column) {
  const { curves, grids } = DATA.curves;
  const found = [];
  for (const line of chosenOf(new Set(curves.keys()))) {
    const own = curves[line][column];
    if (!own) continue;
    const [grid, , values] = own;
    const { mean, low, high } = overSeeds(values);
    found.push({ line, x: grids[grid], mean, ...(values.length > 1 ? { low, high } : {}), count: values.length });
  }
  return found;
}

function curvesSection() {
  const { columns, curves, points, thinned, interpolated } = DATA.curves;
  const having = new Set([...curves.keys()].filter((line) => Object.keys(curves[line]).length));
  const first = curves[Math.min(...having)]; // other stages of a study may have other columns
  const preferred = columns.findIndex((name, number_) => first[number_] && /^(val_accuracy|epoch_g_loss|g_loss|loss)$/.test(name));
  let column = preferred >= 0 ? preferred : Number(Object.keys(first)[0]);
  const place = el("div", {}), tables = el("div", {});
  const field = labelled("Column of metrics.csv", select(
    columns.map((name, number_) => [String(number_), name]), String(column), (value) => { column = Number(value); draw(); }));

  function draw() {
    const series = curveSeries(column), name = columns[column];
    if (!series.length) {
      place.replaceChildren(el("p", {}, "None of the chosen configurations has logged it."));
      tables.replaceChildren();
      return;
    }
    place.replaceChildren(linePlot({
      label: `Learning curves of ${name} over images seen, ${series.length} ${series.length === 1 ? "configuration" : "configurations"}`,
      series, xTitle: "images seen", yTitle: name,
    }));
    tables.replaceChildren(fold("Show as table", () => valuesTable(`${name} over images seen`, "images seen", series)));
  }

  const said = ["Lines are means over seeds, bands reach from the least to the greatest seed; one seed alone has no band. A line breaks where a value is not finite."];
  if (thinned) said.push(`Curves of more than ${points} points are thinned to ${points}, evenly; the first and the last stay.`);
  if (interpolated) said.push("Where seeds were logged at different places, they are interpolated linearly; a line ends where the shortest of its seeds does.");
  return el("div", {}, field, chooser("Configurations", having), following(el("div", {}, place, tables), draw),
    el("p", { class: "hint" }, said.join(" ")));
}
