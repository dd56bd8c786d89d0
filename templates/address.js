// The address of the first page says what its parts show, so that a link leads there.
class Address {
  constructor() {
    this.parts = [];
    this.opening = false;
    addEventListener("hashchange", () => this.open());
  }

  // A part has `names` of its own in the address. `state` gives its [name, value]s, where what is usual has no value;
  // `open` shows what the address says.
  add(part) { this.parts.push(part); }

  open() {
    const said = new URLSearchParams(location.hash.slice(1));
    const [first] = said.keys();
    // In the single file, addresses of other pages begin with names of theirs.
    if (!this.parts.some(({ names }) => names.includes(first))) return;
    this.opening = true;
    for (const part of this.parts) part.open(said);
    this.opening = false;
  }

  keep() {
    if (this.opening) return;
    const said = new URLSearchParams();
    for (const part of this.parts) {
      for (const [name, value] of part.state()) if (value) said.append(name, value);
    }
    history.replaceState(null, "", `#${said}`);
  }
}

// Chooses what an address says, where there is such a choice.
function choose(select, value, otherwise = "") {
  select.value = value || "";
  if (select.selectedIndex < 0) select.value = otherwise;
}

const address = new Address();
queueMicrotask(() => address.open()); // once all parts are there
