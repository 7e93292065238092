// Numbers as people read them, and what is computed of several seeds.

const ABSENT = DATA.absent;
const NOT_FINITE = "nan";

// Four significant digits, without an exponent where people write none.
function number(value) {
  if (value === null || value === undefined) return ABSENT;
  if (value === NOT_FINITE) return "not finite";
  if (Math.abs(value) < 1e-15) return "0";
  return String(Number(value.toPrecision(4)));
}

function count(value) {
  return value === null || value === undefined ? ABSENT : value.toLocaleString("en-US");
}

function short(value) {
  const size = Math.abs(value);
  for (const [unit, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= unit) return `${Number((value / unit).toPrecision(4))}${letter}`;
  }
  return number(value);
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return ABSENT;
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function seedName(seed) {
  return seed === null || seed === undefined ? "all seeds" : `seed ${seed}`;
}

// Mean, least and greatest of each place of several lists; null where one of them has none.
function overSeeds(lists) {
  const mean = [], low = [], high = [];
  for (let place = 0; place < lists[0].length; place += 1) {
    const values = lists.map((list) => list[place]);
    const whole = values.every((value) => value !== null);
    mean.push(whole ? values.reduce((sum, value) => sum + value, 0) / values.length : null);
    low.push(whole ? Math.min(...values) : null);
    high.push(whole ? Math.max(...values) : null);
  }
  return { mean, low, high };
}

// What orders texts: the number that one begins with, or the text.
function sortable(text) {
  const plain = text.replace(/,/g, "");
  const found = /^[<>]?\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/i.exec(plain);
  if (found) return parseFloat(plain.replace(/^[<>]?\s*/, ""));
  return text === ABSENT || text === "" ? null : text;
}

function ordered(first, second) {
  const numbers = typeof first === "number" && typeof second === "number";
  if (numbers) return first - second;
  return String(first).localeCompare(String(second), "en", { numeric: true });
}
