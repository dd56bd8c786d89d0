"use strict";
// Filters all faces of a folder of photos, on however many pages they are listed.
for (const store of document.querySelectorAll('script[id$="photos-data"]')) (() => {
  // Where several pages are one file, ids have the page before them, and the faces are in the file.
  const prefix = store.id.slice(0, -"photos-data".length);
  const byId = (name) => document.getElementById(prefix + name);
  const form = byId("filter");
  const TEXTS = JSON.parse(document.getElementById("photos-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const { script, base, most, first: here, faces: within } = JSON.parse(store.textContent);
  const body = byId("faces-list").tBodies[0];
  const sheet = byId("sheet");
  const pattern = body.rows[0].cloneNode(true);
  const card = sheet && sheet.children[0] ? sheet.children[0].cloneNode(true) : null;
  const thumbnails = within && sheet ? [...sheet.querySelectorAll("img")].map((image) => image.src) : [];
  const pager = byId("pager");
  const names = [...form.emotion.options].slice(1).map((option) => option.value);
  const labels = [...form.emotion.options].slice(1).map((option) => option.textContent);
  let faces = within || null;
  let order = [];
  let first = here;

  const leading = (shares) => shares.indexOf(Math.max(...shares));
  const count = (number) => number.toLocaleString("en");
  const percent = (share) => (share / 10).toFixed(1);
  const shown = (from) => {
    const emotion = names.indexOf(form.emotion.value);
    const share = Number(form.share.value) * 10;
    const confidence = Number(form.confidence.value);
    const text = form.text.value.trim().toLowerCase();
    order = [];
    for (let at = 0; at < faces.file.length; at++) {
      const shares = faces.shares[at];
      const lead = leading(shares);
      if (emotion >= 0 && lead !== emotion) continue;
      if (shares[emotion >= 0 ? emotion : lead] < share || faces.confidence[at] < confidence) continue;
      if (text && !faces.file[at].toLowerCase().includes(text)) continue;
      order.push(at);
    }
    if (form.order.value !== "name") {
      const by = form.order.value === "confidence"
        ? (at) => faces.confidence[at] * 1000
        : (at) => faces.shares[at][emotion >= 0 ? emotion : leading(faces.shares[at])];
      order.sort((a, b) => by(b) - by(a) || a - b);
    }
    first = from;
    draw();
  };
  const row = (at) => {
    const one = pattern.cloneNode(true);
    const cells = one.cells;
    const [x, y, width, height] = faces.box[at];
    cells[0].querySelector("bdi").textContent = faces.file[at];
    cells[1].textContent = faces.face[at];
    cells[2].textContent = faces.confidence[at].toFixed(2);
    cells[3].textContent = `${x}, ${y}`;
    cells[4].textContent = say("size_of", { width, height });
    cells[5].textContent = labels[leading(faces.shares[at])];
    faces.shares[at].forEach((share, lane) => {
      cells[6 + lane].textContent = percent(share);
      cells[6 + lane].style.setProperty("--share", `${percent(share)}%`);
    });
    return one;
  };
  const thumbnail = (at) => {
    const one = card.cloneNode(true);
    const lead = leading(faces.shares[at]);
    const image = one.querySelector("img");
    image.src = within ? thumbnails[faces.thumbnail[at]] : base + faces.thumbnail[at];
    image.alt = say("face_in", { face_id: faces.face[at], file: faces.file[at] });
    one.querySelector("bdi").textContent = faces.file[at];
    one.querySelector(".lead").textContent = say("lead", { emotion: labels[lead], percent: percent(faces.shares[at][lead]) });
    return one;
  };
  const draw = () => {
    const part = order.slice(first, first + most);
    body.replaceChildren(...part.map(row));
    if (card) sheet.replaceChildren(...part.filter((at) => faces.thumbnail[at] !== "").map(thumbnail));
    const last = first + part.length;
    byId("found").textContent = order.length
      ? say("found", { found: count(order.length), all: count(faces.file.length), first: count(first + 1), last: count(last) })
      : say("none");
    form.back.disabled = first === 0;
    form.next.disabled = last >= order.length;
    if (pager) pager.hidden = true;
  };
  const ready = (from) => {
    if (faces) { shown(from); return; }
    window.ferBatchFaces = (found) => { faces = found; shown(from); };
    const loader = document.createElement("script");
    loader.src = script;
    loader.onerror = () => {
      byId("found").textContent = say("list_gone");
    };
    document.head.append(loader);
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const control of form.querySelectorAll("select, input")) control.addEventListener("input", () => ready(0));
  form.next.addEventListener("click", () => ready(first + most));
  form.back.addEventListener("click", () => ready(first - most));
  form.hidden = false;
})();
