// Names and marks that are not in the tables yet: kept by the browser until they are saved as people.csv and events.csv.
// What all pages of a report hold is saved in one file, as far as the browser lets pages opened as files share it.
const PEOPLE = ["file", "face_id", "person", "role", "group", "time", "x", "y", "width", "height", "made_with"];
const EVENTS = ["file", "label", "start", "stop"];

class Work {
  // `home` is the address of the report's first page; `about` are a page's own source, what tells one run from another,
  // and the names of the files that the run was given.
  constructor(home, { run, source, given, people, events_file: events }) {
    this.home = new URL(home, location.href);
    this.key = `fer-batch ${this.home.pathname}`;
    this.run = run;
    this.source = source;
    this.files = { people: people || "people.csv", events: events || "events.csv" };
    this.earlier = { people: Boolean(people), events: Boolean(events) };
    this.given = { people: [], events: [] }; // lines of these files, by column; `at` is the video or photo they are about
    this.ready = given ? this.load() : Promise.resolve();
    const own = this.all[source];
    this.people = new Map((own?.people || []).map((row) => [row.key, row]));
    this.events = own?.events || [];
  }

  // The files that the run was given: in the single file itself, or beside the page.
  async load() {
    const inside = document.getElementById("given");
    const found = inside ? JSON.parse(inside.textContent) : await new Promise((done) => {
      window.ferBatchGiven = done;
      const script = document.createElement("script");
      script.src = new URL("assets/given.js", this.home);
      script.onerror = () => done(null);
      document.head.append(script);
    });
    this.gone = !found;
    Object.assign(this.given, found);
  }

  // What people.csv says of a face that it names.
  lineOf(file, person) { return this.given.people.find((line) => line.at === file && line.person === person); }

  get all() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      return kept && kept.run === this.run ? kept.sources : {};
    } catch {
      return this.alone || {};
    }
  }

  keep() {
    const sources = this.all;
    sources[this.source] = { people: [...this.people.values()], events: this.events };
    if (!this.people.size && !this.events.length) delete sources[this.source];
    try {
      localStorage.setItem(this.key, JSON.stringify({ run: this.run, sources }));
    } catch {
      this.alone = sources; // the browser keeps nothing: the work lasts as long as the page
    }
  }

  discard() {
    this.people.clear();
    this.events = [];
    try { localStorage.removeItem(this.key); } catch { /* nothing was kept */ }
    this.alone = {};
  }

  rows(name) { return Object.values(this.all).flatMap((source) => source[name]); }

  // All lines of people.csv, old and new. A face that had a name has lines with it, one for each of its tracks.
  peopleLines() {
    const lines = this.given.people.map((line) => ({ ...line }));
    const faces = this.rows("people");
    for (const face of faces) {
      const { person, role, group } = face;
      const own = this.given.people.flatMap((line, index) => line.at === face.file && (face.was ? line.person === face.was
        : !line.person && Number(line.face_id) === face.face_id && (line.made_with || face.made_with) === face.made_with)
        ? [lines[index]] : []);
      for (const line of own) Object.assign(line, { person, role, group });
      if (!own.length && person) lines.push({ at: face.file, ...face });
    }
    for (const { file, person, role, group } of faces) {
      for (const line of lines) if (person && line.at === file && line.person === person) Object.assign(line, { role, group });
    }
    return lines;
  }

  // Of events.csv likewise. Its times are those of one clock, at which each video begins at its offset.
  eventLines() {
    const clock = (seconds, offset) => Math.round((seconds + (offset || 0)) * 1e6) / 1e6;
    const added = this.rows("events").map((event) => ({
      ...event, start: clock(event.start, event.offset), stop: clock(event.stop, event.offset), offset: event.offset || "",
    }));
    return [...this.given.events, ...added];
  }

  async save(kind) {
    await this.ready;
    const [lines, first] = kind === "people" ? [this.peopleLines(), PEOPLE] : [this.eventLines(), EVENTS];
    const others = new Set(lines.flatMap((line) => Object.keys(line).filter((column) => line[column] !== "")));
    for (const column of [...first, "at", "key", "was"]) others.delete(column);
    const columns = [...first, ...others];
    saveAs(this.files[kind], asCsv([columns, ...lines.map((line) => columns.map((column) => line[column]))]), "text/csv");
  }
}

// The dialog that asks who a face is.
class Naming {
  // `faces`: all that can be named, with the `person`, `role` and `group` that they have in the tables, and the `row` that
  // says in people.csv where they are; `changed` is called once a name is another.
  constructor(dialog, work, { faces, say, changed }) {
    Object.assign(this, { dialog, work, faces, say, changed });
    this.form = dialog.querySelector("form");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.done(); });
    this.form.querySelector("[name=clear]").addEventListener("click", () => { this.take(this.face); dialog.close(); });
    this.form.querySelector("[name=cancel]").addEventListener("click", () => dialog.close());
    this.form.same.addEventListener("change", () => this.copy(this.form.same.value));
  }

  open(face) {
    const { form } = this;
    this.face = face;
    const known = this.known(face);
    this.dialog.querySelector(".title").textContent = this.say("who_is", { name: face.name });
    for (const column of ["person", "role", "group"]) form[column].value = known[column] || "";
    const others = this.faces().filter((other) => other.key !== face.key);
    form.same.replaceChildren(new Option("\u2013", ""), ...others.map((other) => new Option(this.known(other).person || other.name, other.key)));
    form.same.closest("label").hidden = !others.length;
    for (const column of ["person", "role", "group"]) {
      const list = document.getElementById(form[column].getAttribute("list"));
      const all = [...this.work.rows("people"), ...this.faces(), ...this.work.given.people];
      list.replaceChildren(...[...new Set(all.map((row) => row[column]))].filter(Boolean).map((value) => new Option(value, value)));
    }
    this.dialog.showModal();
    form.person.focus();
    form.person.select();
  }

  // The name, role and group of a face, as they are now.
  known(face) { return this.work.people.get(face.key) || face; }

  // What another face is called; one without a name is called what the page calls it.
  calledAs(other) {
    const { person, role, group } = this.known(other);
    return person ? [person, role || "", group || ""] : [other.name, "", ""];
  }

  copy(key) {
    const other = this.faces().find((face) => face.key === key);
    if (!other) return;
    const called = this.calledAs(other);
    ["person", "role", "group"].forEach((column, index) => { this.form[column].value = called[index]; });
  }

  done() {
    const { form } = this;
    const called = ["person", "role", "group"].map((column) => form[column].value.trim());
    if (!called[0]) { this.take(this.face); this.dialog.close(); return; }
    const same = this.faces().find((face) => face.key === form.same.value);
    this.name(same ? [same, this.face] : [this.face], called);
    this.dialog.close();
  }

  // One face is another one, as a drop of one on the other says.
  join(face, other) { this.name([other, face], this.calledAs(other)); }

  name(faces, called) {
    for (const face of faces) this.put(face, ...called);
    // Faces of one person have one role and one group.
    const [person, role, group] = called;
    for (const row of this.work.people.values()) if (row.person === person) Object.assign(row, { role, group });
    this.work.keep();
    this.changed();
  }

  put(face, person, role, group) {
    const { key, person: was = "", row } = face;
    const asBefore = person === was && role === (face.role || "") && group === (face.group || "");
    if (asBefore) this.work.people.delete(key); else this.work.people.set(key, { key, ...row, person, role, group, was });
  }

  // Takes a face's name away.
  take(face) {
    this.put(face, "", "", "");
    this.work.keep();
    this.changed();
  }
}

// The bar that says what is not in the tables yet, and saves it.
class WorkBar {
  constructor(bar, work, { say, changed }) {
    Object.assign(this, { bar, work, say });
    const button = (name) => bar.querySelector(`[data-work="${name}"]`);
    this.buttons = { people: button("people"), events: button("events") };
    for (const kind of ["people", "events"]) this.buttons[kind].addEventListener("click", () => work.save(kind));
    button("discard").addEventListener("click", () => { work.discard(); changed(); });
    work.ready.then(() => this.show());
    this.show();
  }

  // `problems`: sentences about what does not fit.
  show(problems = this.problems || []) {
    this.problems = problems;
    const { bar, work, say, buttons } = this;
    const [people, events] = [work.rows("people").length, work.rows("events").length];
    const made = [people && "people", events && "events"].filter(Boolean);
    bar.hidden = !made.length;
    for (const kind of ["people", "events"]) {
      buttons[kind].hidden = !made.includes(kind);
      buttons[kind].disabled = work.earlier[kind] && Boolean(work.gone);
      buttons[kind].textContent = say("save", { file: work.files[kind] });
    }
    bar.querySelector("[data-work=text]").textContent = say("unsaved", { people, events });
    bar.querySelector("[data-work=command]").textContent =
      say("command", { options: made.map((kind) => `--${kind} ${work.files[kind]}`).join(" ") });
    bar.querySelector("[data-work=whole]").textContent =
      made.filter((kind) => work.earlier[kind]).map((kind) => say("all_lines", { file: work.files[kind] })).join(" ");
    bar.querySelector("[data-work=problems]").textContent = [...(work.gone ? [say("given_gone")] : []), ...problems].join(" ");
  }
}
