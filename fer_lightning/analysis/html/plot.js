// A chart of lines with bands, read by pointer and by the arrow keys.

const MARGIN = { left: 58, right: 14, top: 12, bottom: 42 };

function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((part) => part * power).find((size) => size >= rough * 0.999);
  const found = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high + step * 1e-6; place += 1) found.push(place * step);
  return found;
}

function extent(lists, fallback) {
  let low = Infinity, high = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return fallback;
  const room = low === high ? Math.abs(low) * 0.1 || 1 : 0;
  return [low - room, high + room];
}

// Points as pieces of a path, broken where there is no value.
function pieces(xs, ys, x, y) {
  const found = [[]];
  ys.forEach((value, place) => {
    if (value === null) found.push([]);
    else found[found.length - 1].push([x(xs[place]), y(value)]);
  });
  return found.filter((piece) => piece.length);
}

function trace(points) {
  return `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`;
}

// Series have `line`, `x`, `mean`, and `low` and `high` where several seeds are behind them;
// `start` is the number of the place that is read first.
function linePlot({ label, series, xTitle, yTitle, xDomain, yDomain, diagonal = false, start = Infinity }) {
  const area = el("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": `${label}. Arrow keys read values.` });
  const readout = el("div", { class: "readout" });
  const places = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
  let at = start, scale = null, cursor = null, touched = false;

  function draw() {
    const width = Math.max(280, area.clientWidth || 720), height = Math.round(Math.min(420, Math.max(240, width * 0.48)));
    const values = series.flatMap((one) => [one.mean, ...(one.low ? [one.low, one.high] : [])]);
    const [x0, x1] = xDomain || extent(series.map((one) => one.x), [0, 1]);
    const [y0, y1] = yDomain || extent(values, [0, 1]);
    const x = (value) => MARGIN.left + ((value - x0) / (x1 - x0 || 1)) * (width - MARGIN.left - MARGIN.right);
    const y = (value) => height - MARGIN.bottom - ((value - y0) / (y1 - y0 || 1)) * (height - MARGIN.top - MARGIN.bottom);
    scale = { x, y, width, height };
    const grid = svg("g", { class: "grid" });
    for (const tick of ticks(y0, y1, 5)) {
      grid.append(svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
        svg("text", { x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
    }
    for (const tick of ticks(x0, x1, width < 500 ? 4 : 7)) {
      grid.append(svg("line", { x1: x(tick), x2: x(tick), y1: MARGIN.top, y2: height - MARGIN.bottom }),
        svg("text", { x: x(tick), y: height - MARGIN.bottom + 16, "text-anchor": "middle" }, short(tick)));
    }
    grid.append(svg("text", { x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 6, "text-anchor": "middle" }, xTitle),
      svg("text", { x: 14, y: height / 2 - 14, "text-anchor": "middle", transform: `rotate(-90 14 ${height / 2 - 14})` }, yTitle));
    if (diagonal) grid.append(svg("line", { class: "chance", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
    const bands = svg("g", {}), lines = svg("g", {});
    for (const one of series) {
      const { class: kind, ...dash } = stroke(one.line);
      if (one.low) {
        const tops = pieces(one.x, one.high, x, y), feet = pieces(one.x, one.low, x, y);
        tops.forEach((top, number) => bands.append(
          svg("path", { class: kind.replace("line", "band"), d: `${trace([...top, ...feet[number].reverse()])}Z` })));
      }
      for (const piece of pieces(one.x, one.mean, x, y)) {
        lines.append(piece.length > 1
          ? svg("path", { class: kind, ...dash, d: trace(piece) })
          : svg("circle", { class: kind.replace("line", "dot"), cx: piece[0][0], cy: piece[0][1], r: 3 }));
      }
    }
    cursor = svg("g", { class: "cursor" });
    area.replaceChildren(svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, grid, bands, lines, cursor));
    read(at);
  }

  function nearest(one, place) {
    let best = 0;
    one.x.forEach((value, number) => { if (Math.abs(value - place) < Math.abs(one.x[best] - place)) best = number; });
    return best;
  }

  function valueText(one, number) {
    const range = one.low && one.mean[number] !== null ? ` (${value(one.low[number])} to ${value(one.high[number])})` : "";
    return `${value(one.mean[number])}${range}`;
  }

  function value(found) {
    return found === null ? "not finite" : number(found);
  }

  function read(number) {
    if (!places.length) return;
    at = Math.min(places.length - 1, Math.max(0, number));
    const place = places[at], title = `${xTitle} ${count(Number(place.toPrecision(6)))}`;
    const found = series.map((one) => [one, nearest(one, place)]);
    readout.replaceChildren(el("strong", {}, title), ...found.map(([one, own]) =>
      el("span", { class: "reading" }, swatch(one.line), `${lineName(one.line)}: ${valueText(one, own)}`)));
    area.setAttribute("aria-valuemin", places[0]);
    area.setAttribute("aria-valuemax", places[places.length - 1]);
    area.setAttribute("aria-valuenow", place);
    area.setAttribute("aria-valuetext",
      [title, ...found.map(([one, own]) => `${lineName(one.line)} ${valueText(one, own)}`)].join("; "));
    if (!scale) return;
    cursor.replaceChildren(...(touched ? [
      svg("line", { x1: scale.x(place), x2: scale.x(place), y1: MARGIN.top, y2: scale.height - MARGIN.bottom }),
      ...found.filter(([one, own]) => one.mean[own] !== null).map(([one, own]) =>
        svg("circle", { class: stroke(one.line).class.replace("line", "dot"), cx: scale.x(one.x[own]), cy: scale.y(one.mean[own]), r: 4 })),
    ] : []));
  }

  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect();
    const along = ((event.clientX - box.left) / box.width) * scale.width;
    touched = true;
    let best = 0;
    places.forEach((place, number) => {
      if (Math.abs(scale.x(place) - along) < Math.abs(scale.x(places[best]) - along)) best = number;
    });
    read(best);
  });
  area.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    const target = event.key === "Home" ? 0 : event.key === "End" ? places.length - 1 : event.key in steps ? at + steps[event.key] : null;
    if (target === null) return;
    event.preventDefault();
    touched = true;
    read(target);
  });
  let known = 0;
  new ResizeObserver(() => {
    if (area.clientWidth === known) return;
    known = area.clientWidth;
    draw();
  }).observe(area);
  draw();
  return el("div", { class: "chart" }, area, readout);
}

// The values of a chart as a table of at most 25 rows.
function valuesTable(caption, xTitle, series) {
  const columns = [{ title: xTitle, numeric: true, text: (row) => count(row.x), value: (row) => row.x }];
  for (const one of series) {
    columns.push({ title: lineName(one.line), numeric: true, text: (row) => row.values.get(one.line) || ABSENT });
  }
  const all = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const kept = all.length <= 25 ? all : Array.from({ length: 25 }, (_, n) => all[Math.round((n * (all.length - 1)) / 24)]);
  const rows = kept.map((x) => ({ x, values: new Map(series.map((one) => {
    const place = one.x.indexOf(x);
    if (place < 0) return [one.line, ABSENT];
    const range = one.low && one.mean[place] !== null ? ` (${number(one.low[place])} to ${number(one.high[place])})` : "";
    return [one.line, `${one.mean[place] === null ? "not finite" : number(one.mean[place])}${range}`];
  })) }));
  const made = dataTable(caption, columns);
  made.show(rows);
  return made.node;
}
