// Sample grids side by side, of one seed and one step.

function samplesSection() {
  const { steps, pictures, sources, left_out: left } = DATA.samples;
  const seeds = [...new Set(pictures.map((one) => seedName(one.seed)))];
  let seed = seeds[0], step = steps[0], large = false;
  const place = el("div", { class: "grids" });
  const having = new Set(pictures.map((one) => one.line));
  const stepName = (name) => (name === "end" ? "end of training" : `${count(Number(name))} images seen`);

  function picture(line) {
    const found = pictures.find((one) => one.line === line && one.step === step && (seedName(one.seed) === seed || one.seed === null));
    const name = lineName(line);
    if (!found) return el("figure", {}, el("p", { class: "absent" }, "no picture"), el("figcaption", {}, swatch(line), name));
    const [source, width, height] = sources[found.source];
    const said = `${seedName(found.seed)}, ${count(found.images)} images seen`;
    return el("figure", {},
      el("img", { src: source, width, height, alt: `Samples of ${name}, ${said}` }),
      el("figcaption", {}, swatch(line), `${name}: ${said}`));
  }

  function draw() {
    place.className = large ? "grids large" : "grids";
    place.replaceChildren(...chosenOf(having).map(picture));
    if (!place.childElementCount) place.append(el("p", {}, "None of the chosen configurations has pictures."));
  }

  const controls = el("div", { class: "controls" },
    labelled("Seed", select(seeds, seed, (value) => { seed = value; draw(); })),
    labelled("Step", select(steps.map((name) => [name, stepName(name)]), step, (value) => { step = value; draw(); })),
    checkbox("large", large, (on) => { large = on; draw(); }));
  const said = ["The same seed draws the same noise. A picture is of the step nearest to the chosen one, within 5 %; beneath it stands when it was made. Pictures are made smaller; the originals are in samples/ of the run folders."];
  if (left) said.push(`${left} further pictures are left out, since the file would be too large.`);
  said.push("They may show what was learnt from real people; make the page with pictures=false to publish it without them.");
  return el("div", {}, controls, chooser("Configurations", having), following(place, draw), el("p", { class: "hint" }, said.join(" ")));
}
