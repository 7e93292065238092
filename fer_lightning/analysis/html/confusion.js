// Confusion matrices: true classes downwards, answers to the right.

const SHADES = 10;

function confusionSection() {
  const kinds = DATA.confusions;
  let kind = 0, seed = "mean", form = "shares";
  const place = el("div", { class: "matrices" }), seedPlace = el("div", {});
  const having = new Set(kinds.flatMap((one) => one.matrices.map((matrix) => matrix.line)));

  function combined(matrices) {
    const shares = matrices.map(({ rows }) => rows.map((row) => {
      const all = row.reduce((sum, value) => sum + value, 0);
      return row.map((value) => (all ? value / all : null));
    }));
    const size = shares[0].length, means = [], sums = [];
    for (let row = 0; row < size; row += 1) {
      means.push(overSeeds(shares.map((one) => one[row])).mean);
      sums.push(matrices[0].rows[row].map((_, column) => matrices.reduce((sum, one) => sum + one.rows[row][column], 0)));
    }
    return { means, sums };
  }

  function matrixTable(line, matrices, classes) {
    const { means, sums } = combined(matrices);
    const seeds = matrices.map((one) => seedName(one.seed)).join(", ");
    const many = matrices.length > 1 ? (form === "shares" ? `mean of ${matrices.length} seeds` : `sum of ${matrices.length} seeds`) : seeds;
    const head = el("tr", {}, el("td", {}, "true \\ answer"), ...classes.map((name) => el("th", { scope: "col" }, name)));
    const body = classes.map((name, row) => el("tr", {}, el("th", { scope: "row" }, name),
      ...classes.map((_, column) => {
        const share = means[row][column];
        const text = form === "shares" ? (share === null ? ABSENT : share.toFixed(2)) : count(sums[row][column]);
        return el("td", { class: `numeric h${share === null ? 0 : Math.round(share * SHADES)}` }, text);
      })));
    const caption = `${lineName(line)}: ${many}`;
    return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Confusion matrix of ${caption}` },
      el("table", { class: "matrix" }, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body)));
  }

  function draw() {
    const { classes, matrices } = kinds[kind];
    const tables = [];
    for (const line of chosenOf(having)) {
      const own = matrices.filter((one) => one.line === line && (seed === "mean" || one.seed === null || seedName(one.seed) === seed));
      if (own.length) tables.push(matrixTable(line, own, classes));
    }
    place.replaceChildren(...(tables.length ? tables : [el("p", {}, "None of the chosen configurations has one.")]));
  }

  function drawSeeds() {
    const seeds = [...new Set(kinds[kind].matrices.filter((one) => one.seed !== null).map((one) => seedName(one.seed)))];
    if (!seeds.includes(seed)) seed = "mean";
    seedPlace.replaceChildren(labelled("Seed", select([["mean", "all"], ...seeds], seed, (value) => { seed = value; draw(); })));
  }

  drawSeeds();
  const controls = el("div", { class: "controls" },
    labelled("Evaluation", select(kinds.map((one, number_) => [String(number_), one.what]), "0", (value) => { kind = Number(value); drawSeeds(); draw(); })),
    seedPlace,
    choice("Cells", [["shares", "shares of the true class"], ["counts", "images"]], form, (value) => { form = value; draw(); }));
  return el("div", {}, controls, chooser("Configurations", having), following(place, draw));
}
