// ROC curves of every class against the rest.

function rocSection() {
  const { grid, kinds } = DATA.rocs;
  let kind = 0, chosenClass = "mean";
  const place = el("div", {}), classPlace = el("div", {});
  const having = new Set(kinds.flatMap((one) => one.curves.map(([line]) => line)));

  // Of every seed of a line its area and rates; the mean of all classes is of those that it has.
  function bySeed(line) {
    const seeds = new Map();
    for (const [own, seed, number_, area, rates] of kinds[kind].curves) {
      if (own !== line || (chosenClass !== "mean" && number_ !== Number(chosenClass))) continue;
      if (!seeds.has(seed)) seeds.set(seed, []);
      seeds.get(seed).push([area, rates.map((rate) => rate / 1000)]);
    }
    return [...seeds.values()].map((curves) => ({
      area: curves.reduce((sum, [area]) => sum + area, 0) / curves.length,
      rates: overSeeds(curves.map(([, rates]) => rates)).mean,
    }));
  }

  function draw() {
    const series = [], rows = [];
    for (const line of chosenOf(having)) {
      const found = bySeed(line);
      if (!found.length) continue;
      const { mean, low, high } = overSeeds(found.map((one) => one.rates));
      series.push({ line, x: grid, mean, ...(found.length > 1 ? { low, high } : {}) });
      const areas = found.map((one) => one.area);
      rows.push([lineName(line), String(found.length), number(areas.reduce((a, b) => a + b, 0) / areas.length),
        number(Math.min(...areas)), number(Math.max(...areas))]);
    }
    if (!series.length) {
      place.replaceChildren(el("p", {}, "None of the chosen configurations has such curves."));
      return;
    }
    const title = chosenClass === "mean" ? "mean of all classes" : kinds[kind].classes[Number(chosenClass)];
    place.replaceChildren(
      linePlot({ label: `ROC curves, ${title}, ${series.length} ${series.length === 1 ? "configuration" : "configurations"}`, series, xTitle: "false positive rate",
        yTitle: "true positive rate", xDomain: [0, 1], yDomain: [0, 1], diagonal: true, start: Math.floor(grid.length / 10) }),
      textTable({ caption: `Areas under the curves, ${title}`, columns: ["configuration", "seeds", "mean area", "least", "greatest"], rows }),
      fold("Show as table", () => valuesTable(`True positive rate by false positive rate, ${title}`, "false positive rate", series)));
  }

  function drawClasses() {
    const options = [["mean", "mean of all classes"], ...kinds[kind].classes.map((name, number_) => [String(number_), name])];
    if (chosenClass !== "mean" && Number(chosenClass) >= kinds[kind].classes.length) chosenClass = "mean";
    classPlace.replaceChildren(labelled("Class", select(options, chosenClass, (value) => { chosenClass = value; draw(); })));
  }

  drawClasses();
  const controls = el("div", { class: "controls" },
    labelled("Evaluation", select(kinds.map((one, number_) => [String(number_), one.what]), "0", (value) => { kind = Number(value); drawClasses(); draw(); })),
    classPlace);
  return el("div", {}, controls, chooser("Configurations", having), following(place, draw),
    el("p", { class: "hint" }, `Each class against the rest, over all folds together; kept at ${grid.length} false positive rates. `,
      "Areas are of the whole curves. Lines are means over seeds, bands reach from the least to the greatest."));
}
