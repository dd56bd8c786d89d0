// The overview on the first page: filter, order, values below the pointer, a click goes to that moment.
(() => {
  // What is named in the address is not left folded.
  const unfold = () => {
    const folded = document.getElementById(location.hash.slice(1))?.closest("details");
    if (folded) folded.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();

  const table = document.getElementById("overview-table");
  if (!table) return;
  const TEXTS = JSON.parse(document.getElementById("index-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const box = document.querySelector("[data-overview]");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const TOP = 1000;
  const FEW = 30; // rows that a narrow screen shows at first
  const LABELS = [...document.querySelectorAll(".legend .swatch")].map((swatch) => swatch.textContent);

  // ---- Filter and order ----------------------------------------------------------------------------------------

  const [text, lead, order, scale] = box.querySelectorAll("input[type=search], select, input[name=scale]");
  const count = box.querySelector("output");
  const more = document.getElementById("overview-more");
  const EMOTIONS = [...order.options].map((option) => option.value).slice(1, 8);
  const number = (row, key) => Number(EMOTIONS.includes(key) ? row.dataset.shares.split(" ")[EMOTIONS.indexOf(key)] : row.dataset[key]);
  const extent = (svg) => svg.dataset.extent.split(" ").map(Number);
  const length = (row) => [...row.querySelectorAll("svg")].reduce((sum, svg) => sum + extent(svg)[1] - extent(svg)[0], 0);
  const longest = Math.max(...rows.map(length));
  const update = () => {
    const shown = showMatching(rows, text, lead);
    for (const row of rows) {
      row.querySelector(".stripe div").style.width = scale.checked ? `${100 * length(row) / longest}%` : "";
    }
    count.textContent = say("shown", { shown, all: rows.length });
    [...body.rows].filter((row) => !row.hidden).forEach((row, at) => row.classList.toggle("later", at >= FEW));
    more.hidden = shown <= FEW || table.classList.contains("whole");
    more.textContent = say("show_all", { shown });
    const paper = document.getElementById("overview-on-paper");
    if (paper) {
      const more = paper.dataset.all - Math.min(shown, paper.dataset.most);
      paper.querySelector("span").textContent = more.toLocaleString("en");
    }
  };
  const sort = () => {
    const sorted = order.value === "" ? rows :
      [...rows].sort((one, other) => number(other, order.value) - number(one, order.value));
    body.append(...sorted);
  };
  box.addEventListener("input", () => { update(); address.keep(); });
  order.addEventListener("change", () => { sort(); update(); address.keep(); });
  more.addEventListener("click", () => {
    const first = body.querySelector("tr.later:not([hidden]) a");
    table.classList.add("whole");
    update();
    first?.focus();
  });
  box.hidden = rows.length < 3;
  update();

  const clock = (seconds) => {
    const tenths = Math.round(10 * Math.abs(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const whole = Math.floor(tenths / 10);
    return `${seconds < 0 && tenths ? "-" : ""}${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:` +
      `${two(whole % 60)}.${tenths % 10}`;
  };

  // ---- Compare -------------------------------------------------------------------------------------------------

  const panel = document.getElementById("compare");
  const LOOKS = JSON.parse(panel.dataset.looks);
  const [emotion, align] = panel.querySelectorAll("select");
  const chosen = new Map(); // what is compared: rows by a name, in the order in which they were chosen
  const SVG = "http://www.w3.org/2000/svg";
  const [WIDTH, HEIGHT, LEFT, RIGHT, UPPER, LOWER] = [900, 260, 44, 890, 10, 230];
  const columns = (path) => [...path.getAttribute("d").matchAll(/V(\d+)h(\d+)/g)]
    .flatMap(([, y, width]) => Array(Number(width)).fill((TOP - Number(y)) / TOP));
  // One video of a row: shares of an emotion by column, and where the axis has its 0.
  const part = (svg, place) => {
    const [ground, ...layers] = [...svg.querySelectorAll("path")].map(columns);
    const upper = layers[layers.length - 1 - place], lower = layers[layers.length - place];
    const [low, high] = extent(svg);
    const bands = [...svg.querySelectorAll("rect")].filter((band) => band.textContent === align.value);
    const zeros = align.value ? bands.map((band) => parseFloat(band.getAttribute("x")) / 100 * (high - low)) : [0];
    const shares = ground.map((seen, at) => seen ? upper[at] - (lower ? lower[at] : 0) : NaN);
    return zeros.map((zero) => ({ shares, zero, length: high - low }));
  };
  const mean = (values) => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : NaN;
  };
  const at = ({ shares, zero, length }, time) => {
    const column = Math.floor((time + zero) / length * shares.length);
    return column >= 0 && column < shares.length ? shares[column] : NaN;
  };
  const percent = (share) => say("share", { percent: Math.round(100 * share) });
  const drawn = (tag, attributes, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  let compared = []; // what is compared, as a table: seconds, and shares
  const compare = () => {
    panel.hidden = !chosen.size;
    if (!chosen.size) return;
    // Videos of a row are averaged first, then rows: each counts once.
    const series = [...chosen].map(([name, rows]) => [name, rows.map((row) =>
      [...row.querySelectorAll("svg")].flatMap((svg) => part(svg, Number(emotion.value)))).filter((row) => row.length)]);
    const parts = series.flatMap(([, rows]) => rows.flat());
    const low = Math.min(0, ...parts.map((one) => -one.zero));
    const high = Math.max(1, ...parts.map((one) => one.length - one.zero));
    const times = Array.from({ length: 201 }, (_, step) => low + (high - low) * (step + 0.5) / 201);
    const over = (rows, time) => mean(rows.map((row) => mean(row.map((one) => at(one, time)))));
    const lines = series.map(([name, rows]) => [name, times.map((time) => over(rows, time))]);
    compared = [["seconds", ...lines.map(([name]) => name)], ...times.map((time, step) =>
      [time.toFixed(3), ...lines.map(([, values]) => Number.isNaN(values[step]) ? "" : values[step].toFixed(4))])];
    const known = lines.flatMap(([, values]) => values.filter((value) => !Number.isNaN(value)));
    const most = Math.max(0.1, Math.ceil(10 * Math.max(0, ...known)) / 10);
    const x = (time) => LEFT + (time - low) / (high - low) * (RIGHT - LEFT);
    const y = (share) => LOWER - share / most * (LOWER - UPPER);
    const shown = emotion.selectedOptions[0].textContent, names = lines.map(([name]) => name).join(", ");
    const heading = say("compared", { emotion: shown, names });
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": heading });
    // The texts of the axis are times from the start of the videos, or of the event.
    const step = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((step) => (high - low) / step <= 9) || 7200;
    for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
      svg.append(drawn("path", { d: `M${x(tick)} ${UPPER}V${LOWER}`, class: tick ? "grid" : "zero" }),
        drawn("text", { x: x(tick), y: LOWER + 18, "text-anchor": "middle" }, clock(tick).slice(0, -2)));
    }
    for (const share of [0, most / 2, most]) {
      svg.append(drawn("path", { d: `M${LEFT} ${y(share)}H${RIGHT}`, class: "grid" }),
        drawn("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, percent(share)));
    }
    const list = panel.querySelector(".legend");
    list.replaceChildren();
    lines.forEach(([name, values], number) => {
      const [colour, corners] = LOOKS[number % LOOKS.length];
      const mark = (left, top) => `M${corners.map(([right, down]) => `${left + 5 * right} ${top + 5 * down}`).join("L")}z`;
      let d = "", marks = "";
      values.forEach((value, step) => {
        if (Number.isNaN(value)) return;
        d += `${step && !Number.isNaN(values[step - 1]) ? "L" : "M"}${x(times[step]).toFixed(1)} ${y(value).toFixed(1)}`;
        if (step % 20 === number % 20) marks += mark(x(times[step]), y(value));
      });
      svg.append(drawn("path", { d: d || "M0 0", stroke: colour, fill: "none", "stroke-width": 1.8 }),
        drawn("path", { d: marks || "M0 0", fill: colour }));
      const item = document.createElement("li");
      const sign = drawn("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" });
      sign.append(drawn("path", { d: mark(0, 0), fill: colour }));
      item.append(sign, name);
      list.append(item);
    });
    panel.querySelector("figure").replaceChildren(svg);
  };
  const buttons = panel.querySelector(".save");
  buttons.hidden = false;
  buttons.addEventListener("click", ({ target }) => {
    const svg = panel.querySelector("figure svg"), name = `${emotion.selectedOptions[0].textContent} ${[...chosen.keys()].join(", ")}`.slice(0, 80);
    if (target.dataset.save === "svg") saveSvg(name, svg);
    if (target.dataset.save === "png") savePng(name, svg);
    if (target.dataset.save === "csv") saveAs(`${name}.csv`, asCsv(compared), "text/csv");
  });
  const compares = (input, name, rows) => input.addEventListener("change", () => {
    if (input.checked) chosen.set(name, rows); else chosen.delete(name);
    compare();
    address.keep();
  });
  for (const row of rows) {
    if (!row.querySelector("svg[data-page]")) continue;
    const input = document.createElement("input");
    input.type = "checkbox";
    input.setAttribute("aria-label", say("compare", { name: row.cells[0].textContent.trim() }));
    input.dataset.name = row.cells[0].textContent.trim().replace(/\s+/g, " ");
    row.cells[0].prepend(input);
    compares(input, input.dataset.name, [row]);
  }
  for (const input of panel.querySelectorAll("input[name=group]")) {
    compares(input, input.value, rows.filter((row) => row.dataset.group === input.value));
  }
  panel.addEventListener("change", () => { compare(); address.keep(); });
  for (const input of document.querySelectorAll("[data-overview] input[name=groups]")) {
    input.addEventListener("change", () => {
      for (const group of panel.querySelectorAll("input[name=group]")) {
        if (group.checked !== input.checked) group.click();
      }
    });
  }

  // ---- The address says what is shown --------------------------------------------------------------------------

  const ticks = () => [...table.querySelectorAll("th input"), ...panel.querySelectorAll("input[name=group]")];
  const nameOf = (tick) => tick.name === "group" ? tick.value : tick.dataset.name;
  address.add({
    names: ["q", "emotion", "sort", "scale", "row", "group", "of", "at"],
    state: () => {
      const ticked = ticks().filter((tick) => tick.checked);
      return [
        ["q", text.value], ["emotion", lead.value], ["sort", order.value], ["scale", scale.checked ? "1" : ""],
        ...ticked.map((tick) => [tick.name === "group" ? "group" : "row", nameOf(tick)]),
        ...(ticked.length ? [["of", EMOTIONS[emotion.value]], ["at", align.value]] : []),
      ];
    },
    open: (said) => {
      text.value = said.get("q") || "";
      choose(lead, said.get("emotion"));
      choose(order, said.get("sort"));
      scale.checked = said.get("scale") === "1";
      if (EMOTIONS.includes(said.get("of"))) choose(emotion, String(EMOTIONS.indexOf(said.get("of"))), emotion.value);
      choose(align, said.get("at"));
      for (const tick of ticks()) {
        const wanted = said.getAll(tick.name === "group" ? "group" : "row").includes(nameOf(tick));
        if (tick.checked !== wanted) tick.click();
      }
      sort();
      update();
      compare();
    },
  });

  // ---- Values below the pointer --------------------------------------------------------------------------------

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
  table.addEventListener("pointermove", show);
  table.addEventListener("pointerleave", () => { tip.hidden = true; });
  table.addEventListener("click", (event) => {
    const found = under(event);
    if (!found || found.svg.dataset.page === undefined) return;
    const { page, track } = found.svg.dataset;
    // In the single file a page's own links begin with its prefix.
    const start = page.includes("#") ? page.replace(/top$/, "") : `${page}#`;
    location.href = `${start}t=${found.at.toFixed(3)}${track === "" ? "" : `&face=${track}`}`;
  });
})();
