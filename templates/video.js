"use strict";
// Makes a video's charts interactive: a cursor, zoom and pan, emotions on and off, and the video itself beside its values.
// All it shows is on the page without it too, in charts and tables.
for (const store of document.querySelectorAll('script[id$="video-data"]')) (() => {
  const TEXTS = JSON.parse(document.getElementById("video-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const data = JSON.parse(store.textContent);
  // In the single file the ids of each page begin with a prefix of its own.
  const prefix = store.id.slice(0, -"video-data".length);
  const root = store.closest("article") || document;
  const byId = (name) => document.getElementById(prefix + name);
  const NAMES = data.emotions;
  const [LEFT, TOP, RIGHT, BOTTOM] = data.plot;
  const MOST = data.most;
  const SVG = "http://www.w3.org/2000/svg";
  const part = (root, name) => root.getElementsByClassName(name)[0];
  const within = (low, value, high) => Math.min(Math.max(value, low), high);

  // ---- Numbers -------------------------------------------------------------------------------------------------

  const unpacked = (text, Kind) => {
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
    return new Kind(bytes.buffer);
  };
  const curve = (packed) => {
    const means = unpacked(packed.means, Uint16Array);
    return {
      starts: unpacked(packed.starts, Float64Array),
      ends: unpacked(packed.ends, Float64Array),
      weights: unpacked(packed.weights, Float32Array),
      joined: unpacked(packed.joined, Uint8Array),
      means,
      lows: packed.lows ? unpacked(packed.lows, Uint16Array) : means,
      highs: packed.highs ? unpacked(packed.highs, Uint16Array) : means,
    };
  };
  const faces = data.faces.map((face) => ({ ...face, coarse: curve(face.curve), fine: null }));
  let everyFrame = null; // every frame, from the file beside the page, once it is there

  const best = (face) => {
    if (!face.fine && everyFrame && everyFrame[face.id]) face.fine = curve(everyFrame[face.id]);
    return face.fine || face.coarse;
  };
  // The last point that begins at or before a place; -1: none.
  const last = (starts, place) => {
    let low = 0, high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= place) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const sharesAt = (face, place) => {
    const points = best(face);
    const point = last(points.starts, place);
    if (point < 0 || place >= points.ends[point]) return null;
    return Array.from(points.means.subarray(7 * point, 7 * point + 7), (share) => share / 10000);
  };
  // The points between two places, averaged into at most MOST equal stretches, as the static chart is.
  const binned = (points, from, to) => {
    const first = Math.max(0, last(points.starts, from));
    const stop = last(points.starts, to) + 1;
    const bins = [];
    let bin = null;
    for (let point = first; point < stop; point++) {
      if (points.ends[point] <= from) continue;
      const place = stop - first <= MOST ? point : Math.floor((points.starts[point] - from) / (to - from) * MOST);
      if (!bin || bin.place !== place) {
        bin = {
          place, start: points.starts[point], joined: points.joined[point] && bins.length > 0,
          sums: new Float64Array(7), plain: new Float64Array(7), lows: new Float64Array(7).fill(1),
          highs: new Float64Array(7), weight: 0, count: 0,
        };
        bins.push(bin);
      }
      bin.end = points.ends[point];
      bin.weight += points.weights[point];
      bin.count += 1;
      for (let lane = 0; lane < 7; lane++) {
        const share = points.means[7 * point + lane] / 10000;
        bin.sums[lane] += share * points.weights[point];
        bin.plain[lane] += share;
        bin.lows[lane] = Math.min(bin.lows[lane], points.lows[7 * point + lane] / 10000);
        bin.highs[lane] = Math.max(bin.highs[lane], points.highs[7 * point + lane] / 10000);
      }
    }
    for (const bin of bins) {
      bin.means = bin.weight > 0 ? bin.sums.map((sum) => sum / bin.weight) : bin.plain.map((sum) => sum / bin.count);
    }
    return bins;
  };

  // ---- State ---------------------------------------------------------------------------------------------------

  const [LOW, HIGH] = data.extent;
  const view = { from: LOW, to: HIGH };
  const shown = NAMES.map(() => true);
  let cursor = null;
  const SHORTEST = data.unit === "seconds" ? 0.2 : 5;
  const across = (place) => LEFT + (place - view.from) / (view.to - view.from) * (RIGHT - LEFT);
  const placeAt = (x) => view.from + (x - LEFT) / (RIGHT - LEFT) * (view.to - view.from);

  const clock = (seconds) => {
    const milliseconds = Math.round(Math.abs(seconds) * 1000);
    const two = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(milliseconds / 60000);
    const rest = milliseconds % 60000;
    return `${seconds < 0 && milliseconds ? "-" : ""}${Math.floor(minutes / 60)}:${two(minutes % 60)}:` +
      `${two(Math.floor(rest / 1000))}.${String(rest % 1000).padStart(3, "0")}`;
  };
  const place = (value) => data.unit === "seconds" ? clock(value) : say("frame", { number: Math.floor(value) });
  const percent = (share) => say("percent", { number: (100 * share).toFixed(1) });

  // ---- Charts --------------------------------------------------------------------------------------------------

  const charts = [...root.querySelectorAll("[data-face]")].map((box) => {
    const svg = box.querySelector("svg");
    const face = faces.find((candidate) => String(candidate.id) === box.dataset.face);
    const overlay = document.createElementNS(SVG, "g");
    overlay.setAttribute("class", "overlay");
    overlay.setAttribute("aria-hidden", "true");
    svg.append(overlay);
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", "cursor");
    overlay.append(line);
    const values = NAMES.map(() => {
      const text = document.createElementNS(SVG, "text");
      overlay.append(text);
      return text;
    });
    return { box, svg, face, overlay, line, values, tick: part(svg, "tick").cloneNode(true) };
  });
  if (!charts.length) return;

  const number = (value) => String(Math.round(value * 10) / 10);
  const lanes = () => {
    const on = shown.flatMap((yes, lane) => yes ? [lane] : []);
    const height = (BOTTOM - TOP) / Math.max(1, on.length);
    return { height, floor: (lane) => TOP + (on.indexOf(lane) + 1) * height };
  };
  const runs = (bins) => {
    const found = [];
    for (const bin of bins) {
      if (bin.joined && found.length) found[found.length - 1].push(bin); else found.push([bin]);
    }
    return found;
  };
  const clamped = (value) => number(within(LEFT, across(value), RIGHT));
  const corners = (run, height) => [
    `${clamped(run[0].start)} ${number(height(run[0]))}`,
    ...run.map((bin) => `${clamped((bin.start + bin.end) / 2)} ${number(height(bin))}`),
    `${clamped(run[run.length - 1].end)} ${number(height(run[run.length - 1]))}`,
  ];
  const spans = (list, top, bottom) => list
    .filter(([start, end]) => end > view.from && start < view.to)
    .map(([start, end]) => `M${clamped(start)} ${top}H${clamped(end)}V${bottom}H${clamped(start)}z`).join("");
  // A part may be several elements, or none: the first takes everything, in the look that it has or that another had.
  const put = (svg, name, d) => {
    const group = part(svg, name);
    if (!group) return;
    let path = group.querySelector("path");
    if (!path) return;
    for (const other of [...group.querySelectorAll("path")].slice(1)) other.remove();
    path.setAttribute("d", d || "M0 0");
  };
  const STEPS = data.steps;
  const ticks = () => {
    const span = view.to - view.from;
    let step = STEPS.find((step) => span / step <= 8) || STEPS[STEPS.length - 1];
    if (data.unit !== "seconds") {
      const power = 10 ** Math.floor(Math.log10(span / 4));
      step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= 8));
    }
    const marks = [];
    for (let mark = Math.ceil(view.from / step - 1e-9) * step; mark <= view.to + 1e-9; mark += step) {
      let text = String(Math.round(mark));
      if (data.unit === "seconds") {
        text = HIGH < 60 ? mark.toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0) : clock(mark).slice(0, step < 1 ? undefined : -4);
      }
      marks.push([mark, text]);
    }
    return marks;
  };
  // Names of events stand above the lanes, each until the next one in its row begins.
  const ROWS = 1 + Math.max(-1, ...data.events.map(([, , row]) => row));
  const placeEventNames = (svg) => {
    for (let row = 0; row < ROWS; row++) {
      const upper = TOP - (ROWS - row) * data.event_row;
      const inRow = data.events.map((event, index) => [...event, index]).filter((event) => event[2] === row);
      put(svg, `event-row-${row}`, spans(inRow, number(upper), number(upper + data.event_row * 0.9)));
      inRow.forEach(([start, end, , index], rank) => {
        const name = part(svg, `event-${index}`);
        const begin = Math.max(LEFT, across(start)) + data.name_margin;
        const edge = Math.min(data.width, rank + 1 < inRow.length ? across(inRow[rank + 1][0]) : data.width);
        name.classList.toggle("off", end <= view.from || start >= view.to);
        name.querySelector("text").setAttribute("x", number(begin));
        const [, id] = name.querySelector("[clip-path]").getAttribute("clip-path").match(/#([^)]*)/);
        const room = document.getElementById(id).querySelector("rect");
        room.setAttribute("x", number(begin));
        room.setAttribute("width", number(Math.max(0, edge - data.name_margin - begin)));
      });
    }
  };
  const draw = () => {
    const { height, floor } = lanes();
    for (const chart of charts) {
      const { svg, face } = chart;
      const whole = view.from === LOW && view.to === HIGH;
      const lines = runs(binned(whole ? face.coarse : best(face), view.from, view.to));
      put(svg, "gaps", spans(face.gaps, TOP, BOTTOM));
      put(svg, "poor", spans(face.poor, TOP, BOTTOM));
      put(svg, "events", spans(data.events, TOP, BOTTOM));
      placeEventNames(svg);
      NAMES.forEach((name, lane) => {
        const hide = !shown[lane];
        for (const each of [name, `${name}-band`, `${name}-episodes`, `floor-${name}`, `label-${name}`]) {
          part(svg, each)?.classList.toggle("off", hide);
        }
        if (hide) return;
        const base = floor(lane);
        const high = (share) => base - data.lane * height * share;
        put(svg, name, lines.map((run) =>
          `M${clamped(run[0].start)} ${number(base)}L${corners(run, (bin) => high(bin.means[lane])).join("L")}` +
          `L${clamped(run[run.length - 1].end)} ${number(base)}`).join(""));
        put(svg, `${name}-band`, lines.map((run) =>
          `M${corners(run, (bin) => high(bin.highs[lane])).join("L")}` +
          `L${corners(run, (bin) => high(bin.lows[lane])).reverse().join("L")}z`).join(""));
        const [bottom, thick] = data.episode;
        put(svg, `${name}-episodes`, spans(face.episodes[name] || [],
          number(base - (bottom) * height), number(base - (bottom - thick) * height)));
        put(svg, `floor-${name}`, `M${LEFT} ${number(base)}H${RIGHT}`);
        part(svg, `label-${name}`).querySelector("text").setAttribute("y", number(base - height * 0.4 + 4));
      });
      const old = [...svg.getElementsByClassName("tick")];
      const home = old[0].parentNode;
      const fresh = ticks().map(([mark, text]) => {
        const tick = chart.tick.cloneNode(true);
        const x = number(across(mark));
        tick.querySelector("path")?.setAttribute("d", `M${x} ${BOTTOM}V${TOP}`);
        tick.querySelector("text").setAttribute("x", x);
        tick.querySelector("text").textContent = text;
        return tick;
      });
      for (const tick of old) tick.remove();
      home.prepend(...fresh.length ? fresh : [chart.tick.cloneNode(true)]);
    }
    point();
    byId("range").textContent = view.from === LOW && view.to === HIGH
      ? say("whole") : say("range", { from: place(view.from), to: place(view.to) });
    for (const button of root.querySelectorAll("[data-zoom]")) {
      const all = view.from === LOW && view.to === HIGH;
      button.disabled = button.dataset.zoom === "in" ? view.to - view.from <= SHORTEST : all;
    }
  };

  // ---- Cursor --------------------------------------------------------------------------------------------------

  const now = byId("now");
  const rows = faces.map((face) => {
    const row = now.querySelector(`[data-row="${face.id}"]`);
    return row && [...row.querySelectorAll("td")];
  });
  const described = (face, shares) => {
    if (!shares) return say("not_found");
    const order = NAMES.map((_, lane) => lane).sort((a, b) => shares[b] - shares[a]).slice(0, 2);
    return order.map((lane) => say("lead", { emotion: data.labels[lane], share: percent(shares[lane]) })).join(", ");
  };
  const point = () => {
    if (cursor === null) return;
    const { height, floor } = lanes();
    const inside = cursor >= view.from && cursor <= view.to;
    const x = number(across(cursor));
    byId("moment").textContent = place(cursor);
    faces.forEach((face, index) => {
      face.now = sharesAt(face, cursor);
      rows[index]?.forEach((cell, lane) => {
        cell.textContent = face.now ? (100 * face.now[lane]).toFixed(1) : "–";
        cell.style.setProperty("--share", face.now ? `${100 * face.now[lane]}%` : "0%");
      });
    });
    for (const chart of charts) {
      const shares = chart.face.now;
      chart.line.setAttribute("d", inside ? `M${x} ${TOP}V${BOTTOM}` : "M0 0");
      const right = across(cursor) > (LEFT + RIGHT) / 2;
      chart.values.forEach((text, lane) => {
        text.textContent = inside && shares && shown[lane] ? percent(shares[lane]) : "";
        text.setAttribute("x", number(across(cursor) + (right ? -5 : 5)));
        text.setAttribute("y", number(floor(lane) - height * 0.4 + 4));
        text.setAttribute("text-anchor", right ? "end" : "start");
      });
      chart.box.setAttribute("aria-valuenow", cursor.toFixed(3));
      chart.box.setAttribute("aria-valuetext", say("position", { place: place(cursor), shares: described(chart.face, shares) }));
    }
  };
  let scheduled = false;
  const move = (value) => {
    cursor = within(LOW, value, HIGH);
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => { scheduled = false; point(); });
  };
  const showRange = (from, to) => {
    const width = within(Math.min(SHORTEST, HIGH - LOW), to - from, HIGH - LOW);
    view.from = within(LOW, from, HIGH - width);
    view.to = view.from + width >= HIGH - 1e-9 ? HIGH : view.from + width;
    draw();
  };
  const zoom = (factor, around) => {
    const width = (view.to - view.from) * factor;
    const part = (around - view.from) / (view.to - view.from);
    showRange(around - part * width, around - part * width + width);
  };
  const middle = () => cursor !== null && cursor >= view.from && cursor <= view.to ? cursor : (view.from + view.to) / 2;
  const follow = () => {
    if (cursor < view.from || cursor > view.to) {
      const width = view.to - view.from;
      showRange(cursor - width * 0.1, cursor + width * 0.9);
    }
  };
  const actions = {
    in: () => zoom(0.5, middle()),
    out: () => zoom(2, middle()),
    back: () => showRange(view.from - (view.to - view.from) / 2, view.to - (view.to - view.from) / 2),
    on: () => showRange(view.from + (view.to - view.from) / 2, view.to + (view.to - view.from) / 2),
    all: () => showRange(LOW, HIGH),
  };

  for (const chart of charts) {
    const { box, svg, face } = chart;
    box.setAttribute("role", "slider");
    box.setAttribute("aria-label", say("cursor_in", { name: face.name }));
    box.setAttribute("aria-valuemin", LOW.toFixed(3));
    box.setAttribute("aria-valuemax", HIGH.toFixed(3));
    box.setAttribute("aria-valuenow", LOW.toFixed(3));
    box.setAttribute("aria-valuetext", say("no_position"));
    box.setAttribute("aria-describedby", `${prefix}keys`);
    const placeOf = (event) => {
      const frame = svg.getBoundingClientRect();
      return placeAt((event.clientX - frame.left) / frame.width * svg.viewBox.baseVal.width);
    };
    let drag = null;
    svg.addEventListener("pointerdown", (event) => {
      if (event.button === 0) drag = { x: event.clientX, from: view.from, to: view.to, moved: false };
    });
    svg.addEventListener("pointermove", (event) => {
      if (drag && event.pointerType === "mouse" && event.buttons & 1) {
        const frame = svg.getBoundingClientRect();
        const by = (drag.x - event.clientX) / frame.width * svg.viewBox.baseVal.width / (RIGHT - LEFT) * (drag.to - drag.from);
        if (Math.abs(event.clientX - drag.x) > 4) drag.moved = true;
        if (drag.moved) showRange(drag.from + by, drag.to + by);
      }
      move(within(view.from, placeOf(event), view.to));
    });
    svg.addEventListener("click", (event) => {
      if (!drag?.moved) {
        move(within(view.from, placeOf(event), view.to));
        seek();
      }
      drag = null;
    });
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.altKey) return; // a wheel without them scrolls the page, as everywhere
      event.preventDefault();
      zoom(event.deltaY < 0 ? 0.8 : 1.25, within(view.from, placeOf(event), view.to));
    }, { passive: false });
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = (view.to - view.from) / (event.shiftKey ? 10 : 100);
      const from = cursor === null ? view.from : cursor;
      const keys = {
        ArrowRight: () => move(from + step), ArrowUp: () => move(from + step),
        ArrowLeft: () => move(from - step), ArrowDown: () => move(from - step),
        PageDown: () => actions.on(), PageUp: () => actions.back(),
        Home: () => move(LOW), End: () => move(HIGH),
        "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.all,
        Enter: () => seek(), " ": () => toggle(),
      };
      const act = keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
      if (/^(Arrow|Home|End)/.test(event.key)) {
        follow();
        point();
        // On a narrow screen the chart is wider than its box.
        const wide = svg.getBoundingClientRect().width;
        box.scrollLeft = across(cursor) / svg.viewBox.baseVal.width * wide - box.clientWidth / 2;
      }
    });
  }

  // ---- Controls ------------------------------------------------------------------------------------------------

  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => actions[button.dataset.zoom]());
  }
  for (const box of root.querySelectorAll("[data-emotion]")) {
    box.addEventListener("change", () => {
      shown[NAMES.indexOf(box.dataset.emotion)] = box.checked;
      draw();
    });
  }
  for (const link of root.querySelectorAll("[data-jump]")) {
    link.addEventListener("click", () => {
      const [start, end] = link.dataset.jump.split(" ").map(Number);
      const margin = Math.max((end - start) * 2, data.unit === "seconds" ? 2 : 50);
      cursor = start;
      showRange(start - margin, end + margin);
      seek();
    });
  }

  // ---- The video ------------------------------------------------------------------------------------------------

  const player = byId("video");
  const message = byId("video-message");
  const picker = byId("video-file");
  let picked = false;
  let waiting = null; // where to seek once the video has been opened
  const show = (text) => { message.textContent = text; };
  // A browser counts time from the start of the container, the tables from the start of its earliest stream.
  const seek = () => {
    if (cursor === null || data.unit !== "seconds") return;
    if (!player.getAttribute("src")) {
      show(say("choose_first"));
      return;
    }
    waiting = cursor;
    if (player.readyState === 0) player.load(); else land();
  };
  const land = () => {
    if (waiting !== null) player.currentTime = waiting + data.start;
    waiting = null;
  };
  const toggle = () => {
    if (!player.getAttribute("src")) seek();
    else if (player.paused) player.play().catch(() => {}); else player.pause();
  };
  const track = () => {
    if (waiting === null && player.readyState > 0) {
      cursor = within(LOW, player.currentTime - data.start, HIGH);
      point();
      follow();
    }
  };
  const run = () => {
    track();
    if (!player.paused && !player.ended) requestAnimationFrame(run);
  };
  player.addEventListener("loadedmetadata", () => {
    show(player.videoWidth ? "" : say("no_image"));
    land();
  });
  player.addEventListener("play", run);
  player.addEventListener("seeked", track);
  player.addEventListener("error", () => {
    waiting = null;
    show(picked ? say("cannot_play") : say("video_gone"));
  });
  picker.addEventListener("change", () => {
    const [file] = picker.files;
    if (!file) return;
    if (picked) URL.revokeObjectURL(player.src);
    picked = true;
    show("");
    player.src = URL.createObjectURL(file);
    player.hidden = false;
    player.load();
    if (cursor !== null) seek();
  });

  // ---- Begin ---------------------------------------------------------------------------------------------------

  for (const element of root.querySelectorAll(".live")) element.hidden = false;
  if (!player.getAttribute("src")) player.hidden = true;
  if (store.dataset.frames) {
    window.ferBatchFrames = (frames) => { everyFrame = frames; draw(); };
    const load = () => {
      const script = document.createElement("script");
      script.src = store.dataset.frames;
      document.head.append(script);
    };
    // Not before the page answers: the frames of a long video are some megabytes.
    if (window.requestIdleCallback) requestIdleCallback(load, { timeout: 3000 }); else setTimeout(load, 500);
  }
  draw();
})();
