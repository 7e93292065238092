// Puts the sections in; what is out of sight is drawn when the browser has time for it.

const TABLES = DATA.tables;

function paperSection() {
  const beside = TABLES.paper ? textTable(TABLES.paper) : null;
  const printed = TABLES.printed.map((table) => fold(table.caption, () => textTable(table)));
  return el("div", {}, beside, ...printed);
}

function provenanceSection() {
  const commands = el("dl", {}, ...DATA.commands.flatMap(([what, command]) => [el("dt", {}, what), el("dd", {}, el("code", {}, command))]));
  return el("div", {}, commands, TABLES.provenance ? textTable(TABLES.provenance) : null,
    el("p", { class: "hint" }, "The folder and the command of every run stand in the results: choose rows: runs, and the column command."));
}

const SECTIONS = [
  ["arms", "Arms", () => TABLES.arms && (() => textTable(TABLES.arms))],
  ["results", "Results", () => resultsSection],
  ["unfinished", "Unfinished or failed", () => TABLES.unfinished && (() => textTable(TABLES.unfinished))],
  ["differences", "Differences", () => TABLES.differences && (() => textTable(TABLES.differences, ["difference", "differences"]))],
  ["paper", "Beside the paper", () => (TABLES.paper || TABLES.printed.length) && paperSection],
  ["curves", "Learning curves", () => DATA.curves.columns.length && curvesSection],
  ["samples", "Samples", () => DATA.samples && DATA.samples.pictures.length && samplesSection],
  ["confusion", "Confusion matrices", () => DATA.confusions.length && confusionSection],
  ["roc", "ROC curves", () => DATA.rocs.kinds.length && rocSection],
  ["settings", "Configurations of two runs", () => DATA.runs.length > 1 && settingsSection],
  ["notes", "Notes", () => DATA.notes.length && (() => bullets(DATA.notes))],
  ["provenance", "Where it ran", () => provenanceSection],
];

function header() {
  const states = new Map();
  for (const { status } of DATA.runs) states.set(status, (states.get(status) || 0) + 1);
  const runs = [...states].map(([status, number_]) => `${number_} ${status}`).join(", ");
  const groups = DATA.groups.length;
  document.getElementById("top").append(
    el("h1", {}, DATA.title),
    DATA.question ? el("p", { class: "question" }, DATA.question) : null,
    el("p", {}, `${groups} configuration${groups === 1 ? "" : "s"}; runs: ${runs}. `,
      DATA.runs.some((run) => run.status !== "finished") ? el("a", { href: "#unfinished" }, "What is not finished") : null));
}

function start() {
  header();
  choose(DATA.lines.map((_, line) => line).slice(0, SHOWN_FIRST), true);
  const main = document.getElementById("main"), list = el("ul", {}), waiting = new Map();
  for (const [id, title, has] of SECTIONS) {
    const make = has();
    if (!make) continue;
    const section = el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title));
    main.append(section);
    list.append(el("li", {}, el("a", { href: `#${id}` }, title)));
    waiting.set(section, make);
  }
  document.getElementById("sections").append(list);
  const build = (section) => {
    const make = waiting.get(section);
    waiting.delete(section);
    if (make) section.append(make());
  };
  build(document.getElementById("results"));
  document.body.dataset.state = "usable";
  const idle = window.requestIdleCallback || ((work) => setTimeout(work, 1));
  const next = () => {
    const [section] = waiting.keys();
    if (section) build(section);
    if (waiting.size) idle(next);
    else document.body.dataset.state = "complete";
  };
  idle(next);
  window.addEventListener("beforeprint", () => [...waiting.keys()].forEach(build));
}

start();
