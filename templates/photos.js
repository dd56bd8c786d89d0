// Filters all faces of a folder of photos, on however many pages they are listed.
for (const store of document.querySelectorAll('script[id$="photos-data"]')) (() => {
  // In the single file the ids of each page begin with a prefix of its own, and the data has all faces.
  const prefix = store.id.slice(0, -"photos-data".length);
  const byId = (name) => document.getElementById(prefix + name);
  const form = byId("filter");
  const TEXTS = JSON.parse(document.getElementById("photos-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const data = JSON.parse(store.textContent);
  const { most, first: here, faces: within } = data;
  const work = new Work(store.dataset.home, data);
  const body = byId("faces-list").tBodies[0];
  const gallery = byId("thumbnails");
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
  let pattern = null;
  const row = (index) => {
    pattern ??= body.rows[0].cloneNode(true);
    const line = pattern.cloneNode(true);
    const cells = line.cells;
    const [x, y, width, height] = faces.box[index];
    cells[0].querySelector("bdi").textContent = faces.file[index];
    cells[0].querySelector("button").dataset.face = index;
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
    image.dataset.face = index;
    image.src = within ? thumbnails[faces.thumbnail[index]] : store.dataset.assets + faces.thumbnail[index];
    image.alt = say("face_in", { face_id: faces.face[index], file: faces.file[index] });
    item.querySelector("bdi").textContent = faces.file[index];
    item.querySelector(".lead").textContent = say("lead", { emotion: labels[lead], percent: percent(faces.shares[index][lead]) });
    return item;
  };
  // A name in the list opens the face.
  [...body.rows].forEach((line, index) => {
    const [cell] = line.cells;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "open";
    button.dataset.face = here + index;
    button.append(cell.firstElementChild);
    cell.prepend(button);
  });
  if (gallery) {
    const cut = [...body.rows].length === gallery.children.length;
    [...gallery.querySelectorAll("img")].forEach((image, index) => { if (cut) image.dataset.face = here + index; });
  }
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
    const paper = byId("on-paper");
    if (paper) paper.querySelector("span").textContent = count(paper.dataset.all - Math.min(part.length, paper.dataset.most));
  };
  const ready = (act) => {
    if (faces) { act(); return; }
    window.ferBatchFaces = (found) => { faces = found; act(); };
    const loader = document.createElement("script");
    loader.src = store.dataset.faces;
    loader.onerror = () => {
      byId("found").textContent = say("list_gone");
    };
    document.head.append(loader);
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  const go = (from) => ready(() => { shown(from()); keep(); });
  for (const control of form.querySelectorAll("select, input")) control.addEventListener("input", () => go(() => 0));
  form.next.addEventListener("click", () => go(() => first + most));
  form.back.addEventListener("click", () => go(() => first - most));
  form.hidden = false;

  // ---- A face, large, and its name -----------------------------------------------------------------------------

  const large = byId("large");
  const stage = byId("large-stage");
  const photo = stage.appendChild(new Image());
  let at = 0;
  const keyOf = (index) => `${data.source}/${faces.file[index]} ${faces.face[index]}`;
  const nameOf = (index) => (work.people.get(keyOf(index))?.person ?? faces.person[index])
    || say("face_in", { face_id: faces.face[index], file: faces.file[index] });
  const placeBoxes = () => {
    for (const old of stage.querySelectorAll("i")) old.remove();
    faces.file.forEach((file, index) => {
      if (file !== faces.file[at] || !photo.naturalWidth) return;
      const [x, y, width, height] = faces.box[index];
      const box = document.createElement("i");
      box.className = "box";
      box.classList.toggle("other", index !== at);
      const part = (value, whole) => `${100 * value / whole}%`;
      Object.assign(box.style, {
        left: part(x, photo.naturalWidth), top: part(y, photo.naturalHeight),
        width: part(width, photo.naturalWidth), height: part(height, photo.naturalHeight),
      });
      stage.append(box);
    });
  };
  const enlarge = (index) => {
    at = index;
    byId("large-title").textContent = nameOf(index);
    byId("large-message").textContent = store.dataset.photos ? "" : say("no_photo");
    stage.hidden = !store.dataset.photos;
    for (const old of stage.querySelectorAll("i")) old.remove();
    photo.alt = say("close_up", { face_id: faces.face[index], file: faces.file[index] });
    if (store.dataset.photos) photo.src = store.dataset.photos + faces.file[index].split("/").map(encodeURIComponent).join("/");
    large.querySelectorAll("td").forEach((cell, lane) => {
      cell.textContent = percent(faces.shares[index][lane]);
      cell.style.setProperty("--share", `${percent(faces.shares[index][lane])}%`);
    });
    if (!large.open) large.showModal();
    keep();
  };
  large.addEventListener("close", () => keep());
  photo.addEventListener("load", placeBoxes);
  photo.addEventListener("error", () => {
    stage.hidden = true;
    byId("large-message").textContent = say("no_photo");
  });
  const listed = () => order.length ? order : faces.file.map((_, index) => index);
  const step = (by) => {
    const list = listed();
    enlarge(list[(list.indexOf(at) + by + list.length) % list.length]);
  };
  const acts = { back: () => step(-1), next: () => step(1), name: () => naming.open(asFace(at)), close: () => large.close() };
  for (const button of large.querySelectorAll("[data-large]")) button.addEventListener("click", acts[button.dataset.large]);
  large.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) step(by);
  });
  const asFace = (index) => {
    const [x, y, width, height] = faces.box[index];
    const file = `${data.source}/${faces.file[index]}`, person = faces.person[index];
    const { role, group } = (person && work.lineOf(file, person)) || {};
    return {
      key: keyOf(index), name: nameOf(index), person, role, group,
      row: { file, face_id: faces.face[index], x, y, width, height, made_with: data.made_with },
    };
  };
  const changed = () => {
    bar.show();
    if (large.open) byId("large-title").textContent = nameOf(at);
  };
  const naming = new Naming(byId("naming"), work, { faces: () => listed().slice(first, first + most).map(asFace), say, changed });
  const bar = new WorkBar(byId("work"), work, { say, changed });

  // ---- The address says what is shown --------------------------------------------------------------------------

  const FIELDS = ["text", "emotion", "share", "confidence", "order"];
  const usual = FIELDS.map((name) => form[name].value);
  const keep = () => {
    const said = new URLSearchParams();
    FIELDS.forEach((name, index) => { if (form[name].value !== usual[index]) said.set(name, form[name].value); });
    if (order.length && first) said.set("from", first);
    if (large.open) said.set("photo", faces.file[at]);
    if (large.open) said.set("face", faces.face[at]);
    history.replaceState(null, "", `#${prefix}${said}`);
  };
  const open = () => {
    const said = new URLSearchParams(location.hash.startsWith(`#${prefix}`) ? location.hash.slice(prefix.length + 1) : "");
    if (![...FIELDS, "from", "photo"].some((name) => said.has(name))) return;
    const folded = store.closest("details.page");
    if (folded) folded.open = true;
    ready(() => {
      FIELDS.forEach((name, index) => { form[name].value = said.get(name) ?? usual[index]; });
      shown(Math.max(0, Number(said.get("from")) || 0));
      const found = faces.file.findIndex((file, index) => file === said.get("photo") && String(faces.face[index]) === said.get("face"));
      if (found >= 0) enlarge(found);
    });
  };
  addEventListener("hashchange", open);
  open();

  for (const list of [body, gallery]) {
    list?.addEventListener("click", ({ target }) => {
      const opener = target.closest("[data-face]");
      if (opener) ready(() => enlarge(Number(opener.dataset.face)));
    });
  }
})();
