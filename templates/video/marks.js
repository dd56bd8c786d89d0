// Events that the reader marks in the chart.
class Marking {
  constructor(root, byId, video, work, { say, place, changed }) {
    Object.assign(this, { video, work, say, place, changed });
    this.form = byId("mark");
    this.box = byId("marking");
    this.marks = byId("marks");
    this.message = byId("mark-message");
    this.box.hidden = !video.timed;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.add(); });
  }

  // Fill in where an event begins and ends; null: leave that as it is.
  propose(start, stop) {
    const { form } = this;
    this.box.open = true;
    if (start !== null) form.start.value = start.toFixed(3);
    if (stop !== null) form.stop.value = stop.toFixed(3);
    if (form.start.value && form.stop.value) form.label.focus();
  }

  add() {
    const { form, work, video, say } = this;
    const [start, stop, label] = [Number(form.start.value), Number(form.stop.value), form.label.value.trim()];
    const all = [...video.events, ...work.events.map((event) => [event.label, event.start, event.stop])];
    const overlaps = all.some(([other, from, to]) => other === label && start < to && from < stop);
    const fault = !(stop > start) ? say("mark_order") : !label ? say("mark_nameless") : overlaps ? say("mark_overlaps", { name: label }) : "";
    this.message.textContent = fault;
    if (fault) return;
    work.events.push({ file: video.source, label, start, stop, offset: video.offset });
    work.events.sort((one, other) => one.start - other.start);
    work.keep();
    form.reset();
    this.changed();
  }

  list() {
    const { work, marks, say, place } = this;
    marks.replaceChildren(...work.events.map((event) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "\u00d7";
      button.setAttribute("aria-label", say("remove_mark", { name: event.label }));
      button.addEventListener("click", () => {
        work.events.splice(work.events.indexOf(event), 1);
        work.keep();
        this.changed();
      });
      item.append(say("mark_text", { name: event.label, from: place(event.start), to: place(event.stop) }), " ", button);
      return item;
    }));
  }
}
