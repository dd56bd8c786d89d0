// Saves texts, tables and charts as files. Nothing leaves the browser.
function saveAs(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// CSV as in RFC 4180, as all tables are.
function asCsv(rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

// What a table shows, row by row; a cell's data-value, or else the text of its data-text part, stands for what it shows.
function tableRows(table) {
  const text = (cell) => cell.dataset.value ?? (cell.querySelector("bdi") || cell).textContent.trim().replace(/\s+/g, " ");
  return [...table.rows].map((row) => [...row.cells].map(text));
}

const LOOKS = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap",
  "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order", "visibility"];

// A chart as an SVG document of its own: dark text on white, whatever the page's colours are.
function svgText(svg) {
  const copy = svg.cloneNode(true);
  const size = svg.viewBox.baseVal;
  const root = document.documentElement;
  const before = root.style.colorScheme;
  root.style.colorScheme = "light";
  root.classList.add("saving");
  const all = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, index) => {
    const look = getComputedStyle(all[index]);
    if (look.display === "none") { element.setAttribute("display", "none"); return; }
    for (const name of LOOKS) {
      element.style.setProperty(name, look.getPropertyValue(name));
      element.removeAttribute(name);
    }
  });
  root.style.colorScheme = before;
  root.classList.remove("saving");
  for (const element of copy.querySelectorAll("[display=none], .cursor, .chosen")) element.remove();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", size.width);
  copy.setAttribute("height", size.height);
  for (const name of ["role", "aria-labelledby", "aria-hidden", "class"]) copy.removeAttribute(name);
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x: size.x, y: size.y, width: size.width, height: size.height, fill: "#fff" })) {
    ground.setAttribute(name, value);
  }
  copy.prepend(ground);
  return new XMLSerializer().serializeToString(copy);
}

function saveSvg(name, svg) {
  saveAs(`${name}.svg`, svgText(svg), "image/svg+xml");
}

function savePng(name, svg) {
  const picture = new Image();
  const size = svg.viewBox.baseVal;
  const scale = Math.max(2, 2400 / size.width);
  picture.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(size.width * scale);
    canvas.height = Math.round(size.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => saveAs(`${name}.png`, blob), "image/png");
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(svg))}`;
}
