// The page of a video: the video with its boxes, the chart beside it, and everything that moves both.
// All that it shows is on the page without it too, in charts and tables.
function startPage(store) {
  const TEXTS = JSON.parse(document.getElementById("video-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const data = JSON.parse(store.textContent);
  const video = new Video(data);
  video.kindOfEpisodes = video.kinds.includes("smooth") ? "smooth" : "raw";
  // In the single file the ids of each page begin with a prefix of its own.
  const prefix = store.id.slice(0, -"video-data".length);
  const article = store.closest("article");
  const root = article || document;
  const byId = (name) => document.getElementById(prefix + name);
  const player = byId("video"), message = byId("video-message"), box = byId("chart"), who = byId("who"), kinds = byId("values");
  const state = {
    cursor: null, from: video.low, to: video.high, who: video.charted.length === 1 ? video.charted[0].id : null,
    kind: video.kindOfEpisodes, off: new Set(), boxes: true,
  };
  const show = (text) => { message.textContent = text; };
  const place = (value) => video.timed ? clock(value) : say("frame", { number: Math.floor(value) });

  const work = new Work(store.dataset.home, data);

  // ---- What is shown -------------------------------------------------------------------------------------------

  const keyOf = (id) => `${video.source} ${id}`;
  const nameOf = (id) => {
    const known = work.people.get(keyOf(id));
    if (known?.person) return say("named", { person: known.person, face_id: id });
    return known ? say("face", { face_id: id }) : video.track.get(id)?.name ?? say("face", { face_id: id });
  };
  const marks = () => work.events.map((event) => [event.label, event.start, event.stop, true]);
  const chart = new Chart(video, state, box, { nameOf, say, marks, prefix });
  const described = (face) => {
    const shares = video.sharesAt(face, state.kind, state.cursor);
    if (!shares) return say("not_found");
    const order = shares.map((_, lane) => lane).sort((a, b) => shares[b] - shares[a]).slice(0, chart.all ? 1 : 2);
    return order.map((lane) => say("lead", { emotion: video.labels[lane], share: chart.percent(shares[lane]) })).join(", ");
  };
  const point = () => {
    chart.drawNow();
    if (state.cursor === null) return;
    byId("moment").textContent = place(state.cursor);
    box.setAttribute("aria-valuenow", state.cursor.toFixed(3));
    const values = chart.faces.map((face) => chart.all ? say("of_one", { name: nameOf(face.id), shares: described(face) }) : described(face));
    box.setAttribute("aria-valuetext", say("position", { place: place(state.cursor), shares: values.join("; ") }));
  };
  const draw = () => {
    chart.draw();
    point();
    boxes.draw();
    const all = state.from === video.low && state.to === video.high;
    byId("range").textContent = all ? say("whole") : say("range", { from: place(state.from), to: place(state.to) });
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.disabled = button.dataset.zoom === "in" ? state.to - state.from <= video.shortest : all;
    }
    who.value = video.charted.some((face) => face.id === state.who) ? String(state.who) : "";
    byId("show-boxes").checked = state.boxes;
    for (const input of root.querySelectorAll("[data-emotion]")) input.checked = !state.off.has(video.emotions.indexOf(input.dataset.emotion));
    if (kinds) kinds.value = state.kind;
    box.setAttribute("aria-label", chart.all ? say("cursor_of_all") : say("cursor_in", { name: nameOf(chart.faces[0].id) }));
  };
  let scheduled = false;
  const move = (value) => {
    state.cursor = within(video.low, value, video.high);
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => { scheduled = false; point(); });
  };
  const showRange = (from, to) => {
    const width = within(Math.min(video.shortest, video.high - video.low), to - from, video.high - video.low);
    state.from = within(video.low, from, video.high - width);
    state.to = state.from + width >= video.high - 1e-9 ? video.high : state.from + width;
    draw();
  };
  const zoom = (factor, around) => {
    const width = (state.to - state.from) * factor;
    const part = (around - state.from) / (state.to - state.from);
    showRange(around - part * width, around - part * width + width);
  };
  const middle = () => state.cursor !== null && state.cursor >= state.from && state.cursor <= state.to
    ? state.cursor : (state.from + state.to) / 2;
  const follow = () => {
    if (state.cursor < state.from || state.cursor > state.to) {
      const width = state.to - state.from;
      showRange(state.cursor - width * 0.1, state.cursor + width * 0.9);
    }
  };
  const by = (part) => showRange(state.from + (state.to - state.from) * part, state.to + (state.to - state.from) * part);
  const actions = {
    in: () => zoom(0.5, middle()), out: () => zoom(2, middle()), back: () => by(-0.5), on: () => by(0.5),
    all: () => showRange(video.low, video.high),
  };
  const showFace = (id) => { state.who = id; draw(); };

  // ---- The video -----------------------------------------------------------------------------------------------

  let picked = false;
  let waiting = null; // where to go once the video is open
  let opening = false; // whether it goes to its first face by itself: that moves no cursor
  const seek = () => {
    if (state.cursor === null || !video.timed) return;
    if (!player.getAttribute("src")) {
      show(say("choose_first"));
      return;
    }
    waiting = state.cursor;
    if (player.readyState === 0) player.load(); else land();
  };
  // A browser counts time from the start of the container, the tables from the start of its earliest stream.
  let beyond = null; // where it could not go: a header may say that a video that starts late ends too early
  const land = () => {
    if (waiting === null) return;
    const wanted = waiting + video.start;
    player.currentTime = wanted;
    beyond = player.currentTime < wanted - 0.001 ? waiting : null;
    waiting = null;
  };
  player.addEventListener("durationchange", () => {
    if (beyond === null || player.duration < beyond + video.start) return;
    waiting = beyond;
    land();
  });
  const toggle = () => {
    if (!player.getAttribute("src")) seek();
    else if (player.paused) player.play().catch(() => {}); else player.pause();
  };
  const boxes = new Boxes(video, state, player, byId("boxes"), {
    nameOf,
    percent: (share) => chart.percent(share),
    open: (id) => { showFace(id); name(id); },
    onMoment: (moment) => {
      // While it is paused, the cursor stays where the reader has put it, within the frame that is shown.
      if (waiting !== null || player.paused) return;
      state.cursor = within(video.low, moment, video.high);
      point();
      follow();
    },
  });
  player.addEventListener("loadedmetadata", () => {
    show(player.videoWidth ? "" : say("no_image"));
    opening = state.cursor === null && video.timed;
    if (opening) waiting = video.begin;
    land();
    boxes.draw();
  });
  player.addEventListener("seeked", () => {
    const moment = player.currentTime - video.start;
    if (opening) { opening = false; return; }
    if (waiting !== null || Math.abs(moment - state.cursor) < 0.001) return;
    state.cursor = within(video.low, moment, video.high);
    point();
    follow();
  });
  player.addEventListener("error", () => {
    waiting = null;
    show(picked ? say("cannot_play") : say("video_gone"));
  });
  byId("video-file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    if (picked) URL.revokeObjectURL(player.src);
    picked = true;
    show("");
    player.src = URL.createObjectURL(file);
    stage.hidden = false;
    fullScreen.hidden = !stage.requestFullscreen;
    player.load();
    if (state.cursor !== null) seek();
  });

  // ---- The chart -----------------------------------------------------------------------------------------------

  for (const [name, value] of Object.entries({
    "aria-valuemin": video.low.toFixed(3), "aria-valuemax": video.high.toFixed(3), "aria-valuenow": video.low.toFixed(3),
    "aria-valuetext": say("no_position"), "aria-describedby": `${prefix}keys`,
  })) box.setAttribute(name, value);
  const { svg } = chart;
  const inView = (event) => within(state.from, chart.placeAt(event), state.to);
  let drag = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0) drag = { x: event.clientX, from: inView(event), moved: false };
  });
  svg.addEventListener("pointermove", (event) => {
    move(inView(event));
    if (!drag || !(event.buttons & 1)) return;
    if (!drag.moved && Math.abs(event.clientX - drag.x) > 4) {
      drag.moved = true;
      svg.setPointerCapture(event.pointerId);
    }
    if (drag.moved) chart.choose([drag.from, inView(event)]);
  });
  svg.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { moved, from } = drag;
    drag = null;
    chart.choose(null);
    const range = [from, inView(event)].sort((a, b) => a - b);
    if (moved) {
      if (event.shiftKey) marking.propose(...range); else showRange(...range);
      return;
    }
    const track = event.target.closest("[data-track]");
    if (track && event.target.closest(".person-name")) {
      showFace(Number(track.dataset.track));
      return;
    }
    move(inView(event));
    seek();
  });
  svg.addEventListener("pointercancel", () => { drag = null; chart.choose(null); });
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.altKey) return; // a wheel without them scrolls the page, as everywhere
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, inView(event));
  }, { passive: false });
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (state.to - state.from) / (event.shiftKey ? 10 : 100);
    const from = state.cursor === null ? state.from : state.cursor;
    const keys = {
      ArrowRight: () => move(from + step), ArrowUp: () => move(from + step),
      ArrowLeft: () => move(from - step), ArrowDown: () => move(from - step),
      PageDown: actions.on, PageUp: actions.back, Home: () => move(video.low), End: () => move(video.high),
      "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.all, Enter: seek, " ": toggle,
    };
    if (video.timed) Object.assign(keys, { "[": () => marking.propose(from, null), "]": () => marking.propose(null, from) });
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    if (/^(Arrow|Home|End)/.test(event.key)) {
      follow();
      point();
    }
  });

  // ---- Controls ------------------------------------------------------------------------------------------------

  const toggleBoxes = (on = !state.boxes) => { state.boxes = on; draw(); };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "b" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox], [type=radio]), select, textarea, dialog")) return;
    toggleBoxes();
  });
  // The player's own button would leave the boxes behind.
  const stage = byId("stage"), fullScreen = byId("full-screen");
  player.setAttribute("controlslist", "nofullscreen");
  fullScreen.hidden = !stage.requestFullscreen || stage.hidden;
  fullScreen.addEventListener("click", () => stage.requestFullscreen());
  byId("show-boxes").addEventListener("change", ({ target }) => toggleBoxes(target.checked));
  who.addEventListener("change", () => showFace(who.value === "" ? null : Number(who.value)));
  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => actions[button.dataset.zoom]());
  }
  for (const input of root.querySelectorAll("[data-emotion]")) {
    input.addEventListener("change", () => {
      const lane = video.emotions.indexOf(input.dataset.emotion);
      if (input.checked) state.off.delete(lane); else state.off.add(lane);
      draw();
    });
  }
  kinds?.addEventListener("change", () => { state.kind = kinds.value; draw(); });
  for (const link of root.querySelectorAll("[data-jump]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const [start, end, face] = link.dataset.jump.split(" ").map(Number);
      const margin = Math.max((end - start) * 2, video.timed ? 2 : 50);
      state.cursor = start;
      if (face !== undefined) state.who = face;
      showRange(start - margin, end + margin);
      seek();
      byId("player").scrollIntoView();
      box.focus({ preventScroll: true });
    });
  }

  // ---- Names and marks -----------------------------------------------------------------------------------------

  const faces = () => data.tracks.map((track) => {
    const [time, x, y, width, height] = track.anchor || [];
    return {
      ...track, key: keyOf(track.id), name: nameOf(track.id),
      row: { file: video.source, face_id: track.id, time, x, y, width, height, made_with: data.made_with },
    };
  });
  const face = (id) => faces().find((one) => one.id === id);
  const retell = () => {
    for (const element of root.querySelectorAll("[data-name-of]")) element.textContent = nameOf(Number(element.dataset.nameOf));
    for (const option of who.options) if (option.value !== "") option.textContent = nameOf(Number(option.value));
    for (const button of root.querySelectorAll("[data-name]")) {
      const id = Number(button.dataset.name);
      button.setAttribute("aria-label", say("name_of", { name: nameOf(id) }));
    }
    bar.show(together());
    marking.list();
    draw();
  };
  // Faces of one name that are seen in the same frame, if one of them has the name from here.
  const together = () => {
    const found = [];
    const named = faces().map((one) => ({ ...one, ...naming.known(one) })).filter((one) => one.person);
    for (const one of work.people.values()) {
      for (const other of named) {
        if (one.key === other.key || one.person !== other.person || !video.looked) continue;
        if (work.people.has(other.key) && one.face_id > other.id) continue; // told already
        const rank = video.looked.together(one.face_id, other.id);
        if (rank >= 0) found.push(say("together", { one: nameOf(one.face_id), other: nameOf(other.id), time: place(video.looked.starts[rank]) }));
      }
    }
    return found;
  };
  const naming = new Naming(byId("naming"), work, { faces, say, changed: () => retell() });
  const name = (id) => {
    const one = face(id);
    if (one) naming.open(one);
  };
  for (const button of root.querySelectorAll("[data-name]")) {
    button.addEventListener("click", () => name(Number(button.dataset.name)));
  }
  for (const picture of root.querySelectorAll("[data-picture]")) {
    picture.addEventListener("click", () => name(Number(picture.dataset.picture)));
  }
  // A row that is dropped on another one is the same person.
  for (const row of root.querySelectorAll("[data-row]")) {
    row.draggable = true;
    row.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-face", row.dataset.row));
    row.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes("text/x-face")) event.preventDefault();
    });
    row.addEventListener("drop", (event) => {
      event.preventDefault();
      const [from, to] = [Number(event.dataTransfer.getData("text/x-face")), Number(row.dataset.row)];
      if (from !== to) naming.join(face(from), face(to));
    });
  }
  const marking = new Marking(root, byId, video, work, { say, place, changed: () => retell() });
  const bar = new WorkBar(byId("work"), work, { say, changed: () => retell() });

  // ---- Links and files -----------------------------------------------------------------------------------------

  // In the single file a page's links begin with its prefix.
  const address = () => `#${prefix}${asHash(state, video).slice(1)}`;
  const open = () => {
    const said = location.hash.startsWith(`#${prefix}`) && fromHash(location.hash.slice(prefix.length + 1), video);
    if (!said) return;
    if (article) article.querySelector("details").open = true;
    Object.assign(state, said);
    showRange(state.from, state.to);
    if (state.cursor !== null && player.getAttribute("src")) seek();
    byId("player").scrollIntoView();
  };
  addEventListener("hashchange", open);
  byId("copy-link").addEventListener("click", () => {
    history.replaceState(null, "", address() === "#" ? location.pathname : address());
    const text = document.createElement("textarea");
    text.value = location.href;
    document.body.append(text);
    text.select();
    const done = document.execCommand("copy");
    text.remove();
    byId("copy-link").focus();
    byId("saved").textContent = done ? say("link_copied") : say("link_above");
  });

  const fileName = () => [video.source.split("/").pop(), chart.all ? "" : nameOf(chart.faces[0].id), state.kind === "raw" ? "" : state.kind]
    .filter(Boolean).join(" ");
  const tableOfChart = () => {
    const head = { raw: "", smooth: "smooth_", change: "change_" }[state.kind];
    const rows = [["file", "frame", "timestamp", "face_id", "person", ...video.emotions.map((name) => head + name)]];
    for (const face of chart.faces) {
      const points = video.points(face, state.kind);
      points.ranks.forEach((rank, index) => {
        if (points.ends[index] <= state.from || points.starts[index] >= state.to) return;
        rows.push([
          video.source, video.looked.numbers[rank], video.timed ? points.starts[index] : "", face.id, video.track.get(face.id).person,
          ...Array.from(points.means.subarray(7 * index, 7 * index + 7), (share) => share / 10000),
        ]);
      });
    }
    return rows;
  };
  const save = {
    svg: () => saveSvg(fileName(), svg), png: () => savePng(fileName(), svg),
    csv: () => saveAs(`${fileName()}.csv`, asCsv(tableOfChart()), "text/csv"),
  };
  for (const button of root.querySelectorAll("[data-save-chart]")) {
    button.addEventListener("click", () => save[button.dataset.saveChart]());
  }

  // ---- Begin ---------------------------------------------------------------------------------------------------

  (article || document.documentElement).classList.add("alive");
  for (const element of root.querySelectorAll(".live")) element.hidden = false;
  const csv = root.querySelector('[data-save-chart="csv"]');
  csv.disabled = !video.looked;
  if (store.dataset.frames) {
    window.ferBatchFrames = (frames) => {
      video.looked = new Frames(frames);
      csv.disabled = false;
      draw();
    };
    const load = () => {
      const script = document.createElement("script");
      script.src = store.dataset.frames;
      document.head.append(script);
    };
    // Not before the page answers: the frames of a long video are some megabytes.
    if (window.requestIdleCallback) requestIdleCallback(load, { timeout: 3000 }); else setTimeout(load, 500);
  }
  retell();
  open();
}

for (const store of document.querySelectorAll('script[id$="video-data"]')) startPage(store);
