// In what the configurations of two runs differ.

function settingsSection() {
  const { common, keys, values, runs } = DATA.settings;
  let first_ = 0, second = Math.min(1, runs.length - 1), all = false;
  const other = DATA.runs.findIndex((run) => run.group !== DATA.runs[0].group);
  if (other > 0) second = other;
  const place = el("div", {});
  const name = (run) => {
    const { group, seed, status, name: own } = DATA.runs[run];
    const what = group === null ? own : `${DATA.groups[group].name}, ${seedName(seed)}`;
    return status === "finished" ? what : `${what} (${status})`;
  };
  const valueOf = (run, number_) => {
    const value = runs[run][number_];
    return value === undefined ? ABSENT : values[value];
  };

  function draw() {
    const rows = keys.map((key, number_) => [key, valueOf(first_, number_), valueOf(second, number_)]);
    const shown = all
      ? [...rows, ...Object.entries(common).map(([key, value]) => [key, value, value])].sort((a, b) => ordered(a[0], b[0]))
      : rows.filter(([, mine, theirs]) => mine !== theirs);
    const made = dataTable(`${name(first_)} and ${name(second)}`, [
      { title: "key", text: (row) => row[0] },
      { title: name(first_), text: (row) => row[1], mark: (row) => (row[1] === row[2] ? "" : "differs") },
      { title: name(second), text: (row) => row[2], mark: (row) => (row[1] === row[2] ? "" : "differs") },
    ], ["key", "keys"]);
    made.show(shown);
    place.replaceChildren(made.node);
  }

  const options = DATA.runs.map((_, run) => [String(run), name(run)]);
  const pick = (text, value, set) => labelled(text, select(options, String(value), (chosen_) => { set(Number(chosen_)); draw(); }));
  const controls = el("div", { class: "controls" },
    pick("One run", first_, (run) => { first_ = run; }),
    pick("The other", second, (run) => { second = run; }),
    checkbox("all keys", all, (on) => { all = on; draw(); }));
  draw();
  return el("div", {}, controls, place);
}
