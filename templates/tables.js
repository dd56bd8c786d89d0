// Sorts a table by the heading that is pressed, and shows only the rows that hold some text.

// Hides the rows whose first cell lacks a text, or whose leading emotion is another; returns how many are shown.
function showMatching(rows, text, lead) {
  const words = text.value.trim().toLowerCase();
  for (const row of rows) {
    row.hidden = !(row.cells[0].textContent.toLowerCase().includes(words) &&
      (!lead.value || row.dataset.emotion === lead.value));
  }
  return rows.filter((row) => !row.hidden).length;
}

(() => {
  const TEXTS = JSON.parse(document.getElementById("index-texts").textContent);
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
    const name = table.id.replace(/-table$/, "");
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const box = document.querySelector(`[data-filters="${table.id}"]`);
    const [text, lead, count] = box ? box.querySelectorAll("input, select, output") : [];
    let order = 0; // the column, from 1, by which it is sorted; negative: downwards; 0: as it came
    const sort = (wanted) => {
      order = heads[Math.abs(wanted) - 1] ? wanted : 0;
      heads.forEach((head, column) => {
        if (column + 1 === Math.abs(order)) head.setAttribute("aria-sort", order < 0 ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      const sorted = rows.map((row) => [order && value(row.cells[Math.min(Math.abs(order), row.cells.length) - 1]), row]);
      sorted.sort(([a], [b]) => Math.sign(order) * compare(a, b));
      body.append(...sorted.map(([, row]) => row));
    };
    const filter = () => {
      if (!box) return;
      const shown = showMatching(rows, text, lead);
      count.textContent = say("shown_rows", { shown, all: rows.length });
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // Names begin with A, numbers with the largest.
        const before = head.getAttribute("aria-sort");
        const down = before ? before === "ascending" : typeof value(rows[0].cells[column]) === "number";
        sort(down ? -column - 1 : column + 1);
        address.keep();
      });
    });
    if (box) {
      box.addEventListener("input", () => { filter(); address.keep(); });
      box.hidden = false;
      filter();
    }
    const names = ["q", "emotion", "sort"].map((part) => `${name}-${part}`);
    address.add({
      names,
      state: () => [text?.value, lead?.value, order].map((said, index) => [names[index], said]),
      open: (said) => {
        if (box) {
          text.value = said.get(names[0]) || "";
          choose(lead, said.get(names[1]));
          filter();
        }
        sort(Number(said.get(names[2])) || 0);
        if (!names.some((one) => said.has(one))) return;
        table.closest("details").open = true;
        (box || table).scrollIntoView();
      },
    });
  }
})();
