"use strict";
// The overview on the first page: filter, order, values below the pointer, a click goes to that moment.
(() => {
  const table = document.getElementById("overview-table");
  if (!table) return;
  const TEXTS = JSON.parse(document.getElementById("overview-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const box = document.querySelector("[data-overview]");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const TOP = 1000;
  const LABELS = [...document.querySelectorAll(".legend .swatch")].map((swatch) => swatch.textContent);

  // ---- Filter and order ----------------------------------------------------------------------------------------

  const [text, lead, order, scale] = box.querySelectorAll("input[type=search], select, input[name=scale]");
  const count = box.querySelector("output");
  const number = (row, key) => key === "visible" || key === "peak" ? Number(row.dataset[key]) :
    Number(row.dataset.shares.split(" ")[Number(key)]);
  const extent = (svg) => svg.dataset.extent.split(" ").map(Number);
  const length = (row) => [...row.querySelectorAll("svg")].reduce((sum, svg) => sum + extent(svg)[1] - extent(svg)[0], 0);
  const longest = Math.max(...rows.map(length));
  const update = () => {
    const words = text.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !(row.cells[0].textContent.toLowerCase().includes(words) &&
        (!lead.value || row.dataset.emotion === lead.value));
      shown += !row.hidden;
      row.querySelector(".stripe div").style.width = scale.checked ? `${100 * length(row) / longest}%` : "";
    }
    count.textContent = say("shown", { shown, all: rows.length });
  };
  const sort = () => {
    const sorted = order.value === "" ? rows :
      [...rows].sort((one, other) => number(other, order.value) - number(one, order.value));
    body.append(...sorted);
  };
  box.addEventListener("input", update);
  order.addEventListener("change", sort);
  box.hidden = false;
  update();

  // ---- Values below the pointer --------------------------------------------------------------------------------

  const clock = (seconds) => {
    const tenths = Math.round(10 * Math.abs(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const whole = Math.floor(tenths / 10);
    return `${seconds < 0 && tenths ? "-" : ""}${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:` +
      `${two(whole % 60)}.${tenths % 10}`;
  };
  // The height of a path at a column, from 0 to 1.
  const height = (path, place) => {
    let left = 0;
    for (const [, y, width] of path.getAttribute("d").matchAll(/V(\d+)h(\d+)/g)) {
      left += Number(width);
      if (place < left) return (TOP - Number(y)) / TOP;
    }
    return 0;
  };
  const tip = document.createElement("p");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const under = (event) => {
    const svg = event.target.closest ? event.target.closest("svg[data-extent]") : null;
    if (!svg) return null;
    const frame = svg.getBoundingClientRect();
    const part = Math.min(Math.max((event.clientX - frame.left) / frame.width, 0), 0.9999);
    const row = svg.closest("tr");
    const [low, high] = extent(svg);
    return { svg, row, part, column: part * svg.viewBox.baseVal.width, at: low + part * (high - low) };
  };
  const show = (event) => {
    const found = under(event);
    tip.hidden = !found;
    if (!found) return;
    const { svg, row, part, column, at } = found;
    const [ground, ...layers] = svg.querySelectorAll("path");
    const label = row.querySelector("bdi").textContent;
    const name = label === svg.dataset.file ? label : say("of", { name: label, file: svg.dataset.file });
    const time = svg.dataset.page === undefined ? say("number", { number: Math.floor(at) }) : clock(at);
    if (!height(ground, column)) {
      tip.textContent = say("nobody", { name, time });
    } else {
      // Each path is as high as its emotion and all below it; the last one is the lowest.
      const heights = layers.map((path) => height(path, column));
      const shares = heights.map((top, index) => [LABELS[heights.length - 1 - index], top - (heights[index + 1] || 0)]);
      shares.push([LABELS[LABELS.length - 1], 1 - heights[0]]);
      shares.sort((one, other) => other[1] - one[1]);
      const said = shares.slice(0, 3).map(([emotion, share]) => say("percent", { emotion, percent: Math.round(100 * share) }));
      const events = [...svg.querySelectorAll("rect")].filter((band) => {
        const left = parseFloat(band.getAttribute("x"));
        return left <= 100 * part && 100 * part < left + parseFloat(band.getAttribute("width"));
      }).map((band) => band.textContent);
      if (events.length) said.push(say("event", { events: events.join(", ") }));
      tip.replaceChildren(Object.assign(document.createElement("strong"), { textContent: say("at", { name, time }) }),
        ...said.map((line) => Object.assign(document.createElement("span"), { textContent: line })));
    }
    const width = tip.offsetWidth;
    tip.style.left = `${Math.min(event.pageX + 12, scrollX + document.documentElement.clientWidth - width - 8)}px`;
    tip.style.top = `${event.pageY + 18}px`;
  };
  // What is named in the address is not left folded.
  const unfold = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details");
    if (folded) folded.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();
  table.addEventListener("pointermove", show);
  table.addEventListener("pointerleave", () => { tip.hidden = true; });
  table.addEventListener("click", (event) => {
    const found = under(event);
    if (!found || found.svg.dataset.page === undefined) return;
    const { page, track } = found.svg.dataset;
    location.href = page.includes("#") ? page : `${page}#t=${found.at.toFixed(3)}${track === "" ? "" : `&face=${track}`}`;
  });
})();
