"use strict";
// Filters all faces of a folder of photos, on however many pages they are listed.
for (const store of document.querySelectorAll('script[id$="photos-data"]')) (() => {
  // In the single file the ids of each page begin with a prefix of its own, and the data has all faces.
  const prefix = store.id.slice(0, -"photos-data".length);
  const byId = (name) => document.getElementById(prefix + name);
  const form = byId("filter");
  const TEXTS = JSON.parse(document.getElementById("photos-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const { most, first: here, faces: within } = JSON.parse(store.textContent);
  const body = byId("faces-list").tBodies[0];
  const gallery = byId("thumbnails");
  const pattern = body.rows[0].cloneNode(true);
  const card = gallery && gallery.children[0] ? gallery.children[0].cloneNode(true) : null;
  const thumbnails = within && gallery ? [...gallery.querySelectorAll("img")].map((image) => image.src) : [];
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
    for (let index = 0; index < faces.file.length; index++) {
      const shares = faces.shares[index];
      const lead = leading(shares);
      if (emotion >= 0 && lead !== emotion) continue;
      if (shares[emotion >= 0 ? emotion : lead] < share || faces.confidence[index] < confidence) continue;
      if (text && !faces.file[index].toLowerCase().includes(text)) continue;
      order.push(index);
    }
    if (form.order.value !== "name") {
      const by = form.order.value === "confidence"
        ? (index) => faces.confidence[index] * 1000
        : (index) => faces.shares[index][emotion >= 0 ? emotion : leading(faces.shares[index])];
      order.sort((a, b) => by(b) - by(a) || a - b);
    }
    first = from;
    draw();
  };
  const row = (index) => {
    const line = pattern.cloneNode(true);
    const cells = line.cells;
    const [x, y, width, height] = faces.box[index];
    cells[0].querySelector("bdi").textContent = faces.file[index];
    cells[1].textContent = faces.face[index];
    cells[2].textContent = faces.confidence[index].toFixed(2);
    cells[3].textContent = `${x}, ${y}`;
    cells[4].textContent = say("size_of", { width, height });
    cells[5].textContent = labels[leading(faces.shares[index])];
    faces.shares[index].forEach((share, lane) => {
      cells[6 + lane].textContent = percent(share);
      cells[6 + lane].style.setProperty("--share", `${percent(share)}%`);
    });
    return line;
  };
  const thumbnail = (index) => {
    const item = card.cloneNode(true);
    const lead = leading(faces.shares[index]);
    const image = item.querySelector("img");
    image.src = within ? thumbnails[faces.thumbnail[index]] : store.dataset.assets + faces.thumbnail[index];
    image.alt = say("face_in", { face_id: faces.face[index], file: faces.file[index] });
    item.querySelector("bdi").textContent = faces.file[index];
    item.querySelector(".lead").textContent = say("lead", { emotion: labels[lead], percent: percent(faces.shares[index][lead]) });
    return item;
  };
  const draw = () => {
    const part = order.slice(first, first + most);
    body.replaceChildren(...part.map(row));
    if (card) gallery.replaceChildren(...part.filter((index) => faces.thumbnail[index] !== "").map(thumbnail));
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
    loader.src = store.dataset.faces;
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
