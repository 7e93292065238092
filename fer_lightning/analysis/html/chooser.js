// Which configurations the charts show: one choice for all of them, each with its own line style.

const COLOURS = 8, DASHES = ["", "7 4", "2 3", "9 3 2 3"], SHOWN_FIRST = 8, LISTED = 24;
const chosen = new Map(); // number of a line to its style
const listeners = [];

function freeStyle() {
  const taken = new Set(chosen.values());
  let style = 0;
  while (taken.has(style)) style += 1;
  return style;
}

function choose(lines, shown) {
  for (const line of lines) {
    if (!shown) chosen.delete(line);
    else if (!chosen.has(line)) chosen.set(line, freeStyle());
  }
  listeners.forEach((listener) => listener());
}

function chosenOf(having) {
  return [...chosen.keys()].sort((a, b) => a - b).filter((line) => having.has(line));
}

function lineName(line) {
  const { name, status } = DATA.lines[line];
  return status === "finished" ? name : `${name} (${status})`;
}

function stroke(line) {
  const style = chosen.get(line) || 0;
  return { class: `line c${style % COLOURS}`, "stroke-dasharray": DASHES[style % DASHES.length] || null };
}

function swatch(line) {
  if (!chosen.has(line)) return el("span", { class: "swatch" });
  return svg("svg", { class: "swatch", viewBox: "0 0 30 10", "aria-hidden": "true" },
    svg("line", { x1: 0, y1: 5, x2: 30, y2: 5, ...stroke(line) }));
}

// A legend with a checkbox for each line of `having`; where there are many, a search finds them.
function chooser(title, having) {
  const list = el("div", { class: "legend-items" });
  const lines = [...having].sort((a, b) => a - b);
  const search = el("input", { type: "search" });
  let wanted = "";
  const matching = () => lines.filter((line) => lineName(line).toLowerCase().includes(wanted));
  function draw() {
    const found = matching();
    const listed = found.slice(0, LISTED);
    const further = found.slice(LISTED).filter((line) => chosen.has(line));
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.line : null;
    list.replaceChildren(...[...listed, ...further].map((line) => {
      const item = checkbox(lineName(line), chosen.has(line), (on) => choose([line], on));
      const box = item.querySelector("input");
      box.dataset.line = line;
      box.after(swatch(line));
      return item;
    }));
    const hidden = found.length - listed.length - further.length;
    if (hidden > 0) list.append(el("p", { class: "hint" }, `… and ${hidden} more: search for them`));
    if (focused !== null) list.querySelector(`[data-line="${focused}"]`)?.focus();
  }
  search.addEventListener("input", () => { wanted = search.value.trim().toLowerCase(); draw(); });
  const buttons = el("div", { class: "buttons" },
    el("button", { type: "button", onclick: () => choose(matching().slice(0, LISTED), true) }, "Show all listed"),
    el("button", { type: "button", onclick: () => choose(lines, false) }, "Show none"));
  listeners.push(draw);
  draw();
  return el("fieldset", { class: "legend" }, el("legend", {}, title),
    lines.length > LISTED ? labelled("Search configurations", search) : null, list,
    lines.length > 2 ? buttons : null);
}

// Redraw `target` whenever another choice is made.
function following(target, draw) {
  listeners.push(draw);
  draw();
  return target;
}
