// Sorts a table by the heading that is pressed, and shows only the rows that hold some text.
(() => {
  const TEXTS = JSON.parse(document.getElementById("tables-texts").textContent);
  const say = (key, values) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const value = (cell) => {
    const text = (cell.dataset.value ?? cell.textContent).trim();
    const number = Number(text.replace(/[,%]/g, ""));
    return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // Names begin with A, numbers with the largest.
        const before = head.getAttribute("aria-sort");
        const down = before ? before === "ascending" : typeof value(body.rows[0].cells[column]) === "number";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row) => [value(row.cells[Math.min(column, row.cells.length - 1)]), row]);
        rows.sort(([a], [b]) => (down ? -1 : 1) * compare(a, b));
        body.append(...rows.map(([, row]) => row));
      });
    });
    const box = document.querySelector(`[data-filters="${table.id}"]`);
    if (!box) continue;
    const count = box.querySelector("output");
    const filter = () => {
      const text = box.querySelector("input").value.trim().toLowerCase();
      const emotion = box.querySelector("select").value;
      let shown = 0;
      for (const row of body.rows) {
        const fits = row.cells[0].textContent.toLowerCase().includes(text) &&
          (!emotion || row.dataset.emotion === emotion);
        row.hidden = !fits;
        shown += fits;
      }
      count.textContent = say("shown", { shown, all: body.rows.length });
    };
    box.addEventListener("input", filter);
    box.hidden = false;
    filter();
  }
})();
