// A table that is sorted by its headings and drawn a page at a time.

const PAGE = 100;

// Columns have a `title`, `text(row)`, and may have `value(row)` to sort by, `numeric`, `hidden`
// and `mark(row)`, a class of the cell. The first one heads the rows.
function dataTable(caption, columns, nouns = ["row", "rows"]) {
  let rows = [], all = 0, limit = PAGE, sorted = null, down = false;
  const head = el("tr", {}), body = el("tbody", {});
  const status = el("p", { role: "status", class: "status" });
  const more = el("button", { type: "button", onclick: () => { limit = Infinity; draw(); } });
  const table = el("table", {}, el("caption", {}, caption), el("thead", {}, head), body);
  const scroll = el("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" }, table);
  const node = el("div", { class: "table" }, status, scroll, more);

  const shown = () => columns.filter((column) => !column.hidden);
  const valueOf = (column, row) => (column.value ? column.value(row) : sortable(column.text(row)));

  function drawHead() {
    head.replaceChildren(...shown().map((column) => {
      const way = column === sorted ? (down ? "descending" : "ascending") : "none";
      const arrow = { ascending: "▲", descending: "▼", none: "↕" }[way];
      const button = el("button", { type: "button", onclick: () => sortBy(column) },
        column.title || "name", el("span", { "aria-hidden": "true", class: "arrow" }, arrow));
      return el("th", { scope: "col", "aria-sort": way, class: column.numeric ? "numeric" : null }, button);
    }));
  }

  function sortBy(column) {
    down = column === sorted ? !down : false;
    sorted = column;
    draw();
    const place = shown().indexOf(column);
    head.children[place].querySelector("button").focus();
  }

  function inOrder() {
    if (!sorted) return rows;
    const keyed = rows.map((row) => [valueOf(sorted, row), row]);
    const there = keyed.filter(([value]) => value !== null && value !== undefined);
    const absent = keyed.filter(([value]) => value === null || value === undefined);
    there.sort((a, b) => (down ? -1 : 1) * ordered(a[0], b[0]));
    return [...there, ...absent].map(([, row]) => row);
  }

  function draw() {
    drawHead();
    const drawn = inOrder().slice(0, limit);
    body.replaceChildren(...drawn.map((row) => el("tr", {}, ...shown().map((column, place) => {
      const classes = [column.numeric ? "numeric" : "", column.mark ? column.mark(row) : ""].join(" ").trim();
      const attributes = { class: classes || null };
      return place === 0
        ? el("th", { scope: "row", ...attributes }, column.text(row))
        : el("td", attributes, column.text(row));
    }))));
    const left = rows.length - drawn.length;
    more.hidden = left <= 0;
    more.textContent = `Show ${left} more`;
    const named = `${all} ${nouns[all === 1 ? 0 : 1]}`;
    const matching = rows.length === all ? named : `${rows.length} of ${named} match`;
    status.textContent = left > 0 ? `${matching}; the first ${drawn.length} are shown` : matching;
  }

  return {
    node,
    show(found, total) {
      rows = found;
      all = total === undefined ? found.length : total;
      draw();
    },
    columns(changed) {
      columns = changed;
      if (!columns.includes(sorted)) sorted = null;
      limit = PAGE;
    },
    draw,
  };
}

// A table of texts as the analysis wrote them.
function textTable({ caption, columns, rows, remarks = [] }, nouns) {
  const made = dataTable(caption, columns.map((title, place) => ({ title, text: (row) => row[place] })), nouns);
  made.show(rows);
  return el("div", {}, made.node, bullets(remarks));
}
