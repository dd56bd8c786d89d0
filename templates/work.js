// Names and marks that are not in the tables yet: kept by the browser until they are saved as people.csv and events.csv.
// What all pages of a report hold is saved in one file, as far as the browser lets pages opened as files share it.
class Work {
  // `home` is the address of the report's first page, `run` tells one run from another, `source` is the page's own.
  constructor(home, run, source) {
    this.key = `fer-batch ${new URL(home, location.href).pathname}`;
    this.run = run;
    this.source = source;
    const own = this.all[source];
    this.people = new Map((own?.people || []).map((row) => [row.key, row]));
    this.events = own?.events || [];
  }

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

  savePeople(name) {
    const columns = ["file", "face_id", "person", "role", "group", "time", "x", "y", "width", "height", "made_with"];
    saveAs(name, asCsv([columns, ...this.rows("people").map((row) => columns.map((column) => row[column]))]), "text/csv");
  }

  saveEvents(name) {
    const columns = ["file", "label", "start", "stop"];
    saveAs(name, asCsv([columns, ...this.rows("events").map((row) => columns.map((column) => row[column]))]), "text/csv");
  }
}

// The dialog that asks who a face is.
class Naming {
  // `faces`: [{ key, name }] of all that can be named; `changed` is called with the face's key once its name is another.
  constructor(dialog, work, { faces, say, changed }) {
    Object.assign(this, { dialog, work, faces, say, changed });
    this.form = dialog.querySelector("form");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.done(); });
    this.form.querySelector("[name=clear]").addEventListener("click", () => { this.take(this.face.key); dialog.close(); });
    this.form.querySelector("[name=cancel]").addEventListener("click", () => dialog.close());
    this.form.same.addEventListener("change", () => this.copy(this.form.same.value));
  }

  open(face) {
    const { form, work } = this;
    this.face = face;
    const known = work.people.get(face.key);
    this.dialog.querySelector(".title").textContent = this.say("who_is", { name: face.name });
    form.person.value = known?.person || "";
    form.role.value = known?.role || "";
    form.group.value = known?.group || "";
    const others = this.faces().filter((other) => other.key !== face.key);
    form.same.replaceChildren(new Option("\u2013", ""), ...others.map((other) => new Option(work.people.get(other.key)?.person || other.name, other.key)));
    form.same.closest("label").hidden = !others.length;
    for (const column of ["person", "role", "group"]) {
      const list = document.getElementById(form[column].getAttribute("list"));
      const values = [...new Set([...work.rows("people").map((row) => row[column]), ...this.faces().map((other) => other[column])])];
      list.replaceChildren(...values.filter(Boolean).map((value) => new Option(value, value)));
    }
    this.dialog.showModal();
    form.person.focus();
  }

  // Fill in what another face is called; one without a name is called what the page calls it.
  copy(key) {
    const other = this.faces().find((face) => face.key === key);
    if (!other) return;
    const known = this.work.people.get(key) || { person: other.person || other.name, role: other.role, group: other.group };
    for (const column of ["person", "role", "group"]) this.form[column].value = known[column] || "";
  }

  done() {
    const { form, work } = this;
    const [person, role, group] = ["person", "role", "group"].map((column) => form[column].value.trim());
    if (!person) { this.take(this.face.key); this.dialog.close(); return; }
    const same = this.faces().find((face) => face.key === form.same.value);
    if (same && !same.person) this.put(same, person, role, group);
    this.put(this.face, person, role, group);
    // Faces of one person have one role and one group.
    for (const row of work.people.values()) if (row.person === person) Object.assign(row, { role, group });
    work.keep();
    this.dialog.close();
    this.changed();
  }

  // One face is another one, as a drop of one on the other says.
  join(face, other) {
    const known = this.work.people.get(other.key) || { person: other.person || other.name, role: other.role, group: other.group };
    if (!other.person) this.put(other, known.person, known.role || "", known.group || "");
    this.put(face, known.person, known.role || "", known.group || "");
    this.work.keep();
    this.changed();
  }

  put(face, person, role, group) {
    this.work.people.set(face.key, { key: face.key, ...face.row, person, role, group });
  }

  take(key) {
    this.work.people.delete(key);
    this.work.keep();
    this.changed();
  }
}

// The bar that says what is not in the tables yet, and saves it.
class WorkBar {
  constructor(bar, work, { say, people, events, changed }) {
    Object.assign(this, { bar, work, say });
    const button = (name) => bar.querySelector(`[data-work="${name}"]`);
    this.buttons = { people: button("people"), events: button("events") };
    const names = { people: people ? "people-new.csv" : "people.csv", events: events ? "events-new.csv" : "events.csv" };
    this.names = names;
    this.earlier = { people, events };
    this.buttons.people.addEventListener("click", () => work.savePeople(names.people));
    this.buttons.events.addEventListener("click", () => work.saveEvents(names.events));
    button("discard").addEventListener("click", () => { work.discard(); changed(); });
    this.show();
  }

  // `problems`: sentences about what does not fit.
  show(problems = []) {
    const { bar, work, say, names, earlier } = this;
    const [people, events] = [work.rows("people").length, work.rows("events").length];
    bar.hidden = !people && !events;
    this.buttons.people.hidden = !people;
    this.buttons.events.hidden = !events;
    this.buttons.people.textContent = say("save", { file: names.people });
    this.buttons.events.textContent = say("save", { file: names.events });
    bar.querySelector("[data-work=text]").textContent = say("unsaved", { people, events });
    const options = [people && `--people ${names.people}`, events && `--events ${names.events}`].filter(Boolean).join(" ");
    const add = ["people", "events"].filter((kind) => earlier[kind] && { people, events }[kind])
      .map((kind) => say("add_lines", { saved: names[kind], file: earlier[kind] }));
    const run = options.split(" --").map((part, index) => index ? `--${part}` : part)
      .filter((part) => !earlier[part.split(" ")[0].slice(2)]).join(" ");
    bar.querySelector("[data-work=command]").textContent = say("command", { options: run });
    bar.querySelector("[data-work=add]").textContent = add.join(" ");
    bar.querySelector("[data-work=problems]").textContent = problems.join(" ");
  }
}
