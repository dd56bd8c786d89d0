// Saves the charts that have their numbers in a table beside them: as SVG, PNG, and the table as CSV.
for (const figure of document.querySelectorAll("figure[data-figure]")) {
  const svg = figure.querySelector("svg");
  const table = figure.parentElement.querySelector("table");
  const name = figure.dataset.figure;
  const save = {
    svg: () => saveSvg(name, svg), png: () => savePng(name, svg),
    csv: () => saveAs(`${name}.csv`, asCsv(tableRows(table)), "text/csv"),
  };
  const buttons = figure.querySelector(".save");
  for (const button of buttons.querySelectorAll("button")) button.addEventListener("click", save[button.dataset.save]);
  buttons.hidden = false;
}
