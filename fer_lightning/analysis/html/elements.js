// Makes elements. All text goes in as text, so that no name or message can be markup.

const SVG = "http://www.w3.org/2000/svg";
const DATA = JSON.parse(document.getElementById("data").textContent);
let numbered = 0;

function put(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function el(tag, attributes, ...children) {
  return put(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return put(document.createElementNS(SVG, tag), attributes, children);
}

function unique(prefix) {
  numbered += 1;
  return `${prefix}-${numbered}`;
}

// A control under its label; `control` gets an id where it has none.
function labelled(text, control) {
  if (!control.id) control.id = unique("control");
  return el("div", { class: "field" }, el("label", { for: control.id }, text), control);
}

// A select; `options` are texts or [value, text].
function select(options, value, onchange) {
  const made = el("select", { onchange: () => onchange(made.value) });
  for (const option of options) {
    const [own, text] = Array.isArray(option) ? option : [option, option];
    made.append(el("option", { value: own }, text));
  }
  if (value !== undefined) made.value = value;
  return made;
}

function checkbox(text, checked, onchange) {
  const box = el("input", { type: "checkbox", id: unique("box"), onchange: () => onchange(box.checked) });
  box.checked = checked;
  return el("span", { class: "check" }, box, el("label", { for: box.id }, text));
}

// One of several, as radio buttons.
function choice(legend, options, value, onchange) {
  const name = unique("choice");
  const group = el("fieldset", { class: "choice" }, el("legend", {}, legend));
  for (const [own, text] of options) {
    const button = el("input", { type: "radio", name, id: unique("radio"), value: own, onchange: () => onchange(own) });
    button.checked = own === value;
    group.append(el("span", { class: "check" }, button, el("label", { for: button.id }, text)));
  }
  return group;
}

function bullets(lines) {
  return lines.length ? el("ul", {}, ...lines.map((line) => el("li", {}, line))) : null;
}

// A fold whose content is made when it is opened.
function fold(title, make) {
  const made = el("details", {}, el("summary", {}, title));
  made.addEventListener("toggle", () => {
    if (made.open && made.childElementCount === 1) made.append(make());
  });
  return made;
}
