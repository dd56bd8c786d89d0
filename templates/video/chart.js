// The chart: seven lanes of one person, or a row for each person, along one time axis.
const SVG = "http://www.w3.org/2000/svg";
const LABELS = 92, VALUES = 64, AXIS = 24, EVENT_ROW = 18, EVENT_ROWS = 3;

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const tenth = (value) => String(Math.round(value * 10) / 10);

// A name in at most so many lines of so many characters.
function lines(name, most, width) {
  const found = [""];
  for (const word of name.split(/\s+/)) {
    const longer = `${found[found.length - 1]} ${word}`.trim();
    if (longer.length <= width || !found[found.length - 1]) found[found.length - 1] = longer; else found.push(word);
  }
  const shown = found.slice(0, most);
  const cut = (line) => line.length > width ? `${line.slice(0, width - 1)}\u2026` : line;
  if (found.length > most) shown[most - 1] = `${shown[most - 1]} \u2026`;
  return shown.map(cut);
}

class Chart {
  constructor(video, state, box, { nameOf, say, marks, prefix }) {
    Object.assign(this, { video, state, box, nameOf, say, marks, prefix });
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.plot = this.svg.appendChild(document.createElementNS(SVG, "g"));
    this.now = this.svg.appendChild(document.createElementNS(SVG, "g"));
    this.now.setAttribute("class", "now");
    this.chosen = this.svg.appendChild(document.createElementNS(SVG, "rect"));
    this.chosen.setAttribute("class", "chosen");
    box.append(this.svg);
    new ResizeObserver(() => this.draw()).observe(box);
  }

  // Those of whom something is drawn.
  get faces() {
    const chosen = this.video.charted.filter((face) => face.id === this.state.who);
    return chosen.length ? chosen : this.video.charted;
  }

  get all() { return this.faces.length > 1; }

  across(place) {
    return this.left + (place - this.state.from) / (this.state.to - this.state.from) * (this.right - this.left);
  }

  placeAt(event) {
    const frame = this.svg.getBoundingClientRect();
    const x = (event.clientX - frame.left) / frame.width * this.width;
    return this.state.from + (x - this.left) / (this.right - this.left) * (this.state.to - this.state.from);
  }

  clamped(place) { return tenth(within(this.left, this.across(place), this.right)); }

  layOut() {
    const { state, video } = this;
    this.width = Math.max(280, Math.round(this.box.clientWidth));
    this.lanes = video.emotions.map((_, lane) => lane).filter((lane) => !state.off.has(lane));
    const rows = this.all ? this.faces.length : Math.max(1, this.lanes.length);
    this.narrow = this.width < 480;
    this.left = !this.all ? LABELS : this.narrow ? LABELS - 18 : LABELS + 22;
    this.right = this.width - (!this.all ? VALUES : this.narrow ? VALUES + 8 : VALUES + 34);
    this.events = this.placeEvents([...video.events, ...this.marks()]);
    const eventRows = Math.max(-1, ...this.events.map((event) => event.row)) + 1;
    this.top = 4 + EVENT_ROW * eventRows;
    this.row = this.all ? within(44, 340 / rows, 96) : 336 / Math.min(7, Math.max(rows, 3));
    this.bottom = this.top + this.row * rows;
    this.height = this.bottom + AXIS;
    // In a change from the baseline nothing is in the middle, and the scale is as large as is needed.
    this.signed = state.kind === "change";
    this.scale = 1;
    if (this.signed) {
      const most = Math.max(0, ...this.faces.flatMap((face) => video.binned(face, "change", video.low, video.high)
        .flatMap((bin) => [...bin.highs, ...bin.lows.map((low) => -low)])));
      this.scale = [0.25, 0.5].find((step) => most <= step) || 1;
    }
  }

  // Each event's row above the lanes; events at the same time have different ones; -1: no row is free.
  placeEvents(events) {
    const taken = [];
    return [...events].sort((one, other) => one[1] - other[1]).map(([label, start, stop, own]) => {
      let row = taken.findIndex((until) => until <= start);
      if (row < 0) row = taken.length;
      if (row < EVENT_ROWS) taken[row] = stop;
      return { label, start, stop, own: Boolean(own), row: row < EVENT_ROWS ? row : -1 };
    });
  }

  spans(list, top, bottom) {
    return list.filter(([start, end]) => end > this.state.from && start < this.state.to)
      .map(([start, end]) => `M${this.clamped(start)} ${tenth(top)}H${this.clamped(end)}V${tenth(bottom)}H${this.clamped(start)}z`)
      .join("");
  }

  corners(run, height) {
    const end = run[run.length - 1];
    return [
      `${this.clamped(run[0].start)} ${tenth(height(run[0]))}`,
      ...run.map((bin) => `${this.clamped((bin.start + bin.end) / 2)} ${tenth(height(bin))}`),
      `${this.clamped(end.end)} ${tenth(height(end))}`,
    ];
  }

  ticks() {
    const { state, video } = this;
    const span = state.to - state.from;
    const most = Math.max(2, (this.right - this.left) / (video.high < 60 ? 60 : 84));
    let step = video.steps.find((step) => span / step <= most) || video.steps[video.steps.length - 1];
    if (!video.timed) {
      const power = 10 ** Math.floor(Math.log10(span / 4));
      step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= most));
    }
    const digits = step < 1 ? 1 : 0;
    const marks = [];
    for (let mark = Math.ceil(state.from / step - 1e-9) * step; mark <= state.to + 1e-9; mark += step) {
      marks.push([mark, video.timed ? (video.high < 60 ? mark.toFixed(digits) : clock(mark, digits)) : String(Math.round(mark))]);
    }
    return marks;
  }

  draw() {
    if (!this.box.clientWidth) return;
    this.layOut();
    const { video, state, svg, top, bottom, left, right } = this;
    svg.setAttribute("viewBox", `0 0 ${this.width} ${tenth(this.height)}`);
    svg.setAttribute("width", this.width);
    svg.setAttribute("height", tenth(this.height));
    const id = `${this.prefix}chart`;
    const parts = [
      `<defs><pattern id="${id}-gap" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
      `<path d="M0 0V6" stroke="currentColor" stroke-width="1.2" opacity=".35"/></pattern>` +
      `<pattern id="${id}-poor" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1" fill="currentColor" opacity=".55"/></pattern></defs>`,
    ];
    for (const [mark, text] of this.ticks()) {
      const x = tenth(this.across(mark));
      parts.push(`<path class="grid" d="M${x} ${top}V${bottom}"/><text class="tick" x="${x}" y="${tenth(bottom + 16)}" text-anchor="middle">${text}</text>`);
    }
    parts.push(this.drawEvents(id));
    this.faces.forEach((face, index) => {
      const over = this.all ? [top + index * this.row, top + (index + 1) * this.row] : [top, bottom];
      parts.push(`<path class="gaps" fill="url(#${id}-gap)" d="${this.spans(face.gaps, ...over) || "M0 0"}"/>`);
      parts.push(`<path class="poor" fill="url(#${id}-poor)" d="${this.spans(face.poor, ...over) || "M0 0"}"/>`);
      const runs = video.runs(video.binned(face, state.kind, state.from, state.to));
      parts.push(this.all ? this.drawRow(face, runs, over) : this.drawLanes(face, runs));
    });
    this.plot.innerHTML = parts.join("");
    this.drawNow();
  }

  drawEvents(id) {
    const { state, top, bottom } = this;
    const eventRows = Math.max(-1, ...this.events.map((event) => event.row)) + 1;
    return this.events.filter(({ start, stop }) => stop > state.from && start < state.to).map((event, index) => {
      const [from, to] = [this.clamped(event.start), this.clamped(event.stop)];
      const upper = top - (eventRows - event.row) * EVENT_ROW;
      const next = this.events.find((other) => other.row === event.row && other.start >= event.stop && other.start < state.to);
      const edge = next ? this.across(next.start) : this.width;
      const borders = [event.start, event.stop].filter((at) => at >= state.from && at <= state.to)
        .map((at) => `M${tenth(this.across(at))} ${event.row < 0 ? top : upper}V${bottom}`).join("");
      const name = event.row < 0 ? "" :
        `<clipPath id="${id}-event-${index}"><rect x="${from}" y="${upper}" width="${tenth(Math.max(0, edge - from - 4))}" height="${EVENT_ROW}"/></clipPath>` +
        `<path class="event-bar" d="M${from} ${upper}H${to}V${upper + EVENT_ROW - 2}H${from}z"/>` +
        `<text class="event-name" clip-path="url(#${id}-event-${index})" x="${tenth(Number(from) + 4)}" y="${upper + 12}">${escaped(event.label)}<title>${escaped(event.label)}</title></text>`;
      return `<g class="event${event.own ? " own" : ""}"><path class="event-band" d="M${from} ${top}H${to}V${bottom}H${from}z"/>` +
        `<path class="event-border" d="${borders || "M0 0"}"/>${name}</g>`;
    }).join("");
  }

  // The heights of shares in a lane whose floor and height are these.
  heights(floor, height) {
    return this.signed
      ? { zero: floor - height / 2, high: (share) => floor - height / 2 - share / this.scale * height * 0.46 }
      : { zero: floor, high: (share) => floor - share * height * 0.86 };
  }

  drawLanes(face, runs) {
    const { video, state, left, right, row, top } = this;
    return this.lanes.map((lane, index) => {
      const floor = top + (index + 1) * row;
      const { zero, high } = this.heights(floor, row);
      const colour = video.colours[lane], name = video.emotions[lane];
      const line = runs.map((run) => `M${this.clamped(run[0].start)} ${tenth(zero)}L` +
        `${this.corners(run, (bin) => high(bin.means[lane])).join("L")}L${this.clamped(run[run.length - 1].end)} ${tenth(zero)}`).join("");
      const averaged = runs.some((run) => run.some((bin) => bin.highs[lane] > bin.lows[lane]));
      const band = averaged ? runs.map((run) => `M${this.corners(run, (bin) => high(bin.highs[lane])).join("L")}` +
        `L${this.corners(run, (bin) => high(bin.lows[lane])).reverse().join("L")}Z`).join("") : "";
      const bars = state.kind === video.kindOfEpisodes ? this.spans(face.episodes[name] || [], floor - row * 0.97, floor - row * 0.9) : "";
      const middle = floor - row / 2;
      const most = Math.round(100 * this.scale);
      const scale = this.signed ? [[`+${most}`, high(this.scale) + 8], [`\u2212${most}`, high(-this.scale)]] : [["100 %", high(1) + 8], ["0 %", floor - 2]];
      return `<g class="lane" data-lane="${name}"><path class="floor" d="M${left} ${tenth(zero)}H${right}"/>` +
        (band && `<path class="band" d="${band}" fill="${colour}"/>`) +
        `<path class="line" d="${line || "M0 0"}" fill="${colour}" stroke="${colour}"/>` +
        (bars && `<path class="episodes" d="${bars}" fill="${colour}"/>`) +
        `<rect x="0" y="${tenth(middle - 6)}" width="10" height="10" rx="2" fill="${colour}"/>` +
        `<text class="lane-name" x="15" y="${tenth(middle + 3)}">${escaped(video.labels[lane])}</text>` +
        (index === 0 ? scale.map(([text, y]) => `<text class="scale" x="${left - 4}" y="${tenth(y)}" text-anchor="end">${text}</text>`).join("") : "") +
        `</g>`;
    }).join("");
  }

  // A person's shares on top of each other, or changes as lines.
  drawRow(face, runs, [top, bottom]) {
    const { video, left, right } = this;
    const floor = bottom - 3, height = bottom - top - 6;
    const parts = [];
    if (this.signed) {
      const { zero, high } = this.heights(floor, height);
      parts.push(`<path class="floor" d="M${left} ${tenth(zero)}H${right}"/>`);
      for (const lane of this.lanes) {
        const line = runs.map((run) => `M${this.corners(run, (bin) => high(bin.means[lane])).join("L")}`).join("");
        parts.push(`<path class="thin" d="${line || "M0 0"}" stroke="${video.colours[lane]}"/>`);
      }
    } else {
      const below = (bin, lane) => this.lanes.filter((other) => other > lane).reduce((sum, other) => sum + bin.means[other], 0);
      for (const lane of this.lanes) {
        const area = runs.map((run) =>
          `M${this.corners(run, (bin) => floor - height * (below(bin, lane) + bin.means[lane])).join("L")}` +
          `L${this.corners(run, (bin) => floor - height * below(bin, lane)).reverse().join("L")}Z`).join("");
        parts.push(`<path class="area" data-lane="${video.emotions[lane]}" d="${area || "M0 0"}" fill="${video.colours[lane]}"/>`);
      }
    }
    const name = this.nameOf(face.id);
    const rows = lines(name, Math.max(1, Math.floor((bottom - top) / 14)), this.narrow ? 10 : 15);
    const first = (top + bottom) / 2 + 4 - (rows.length - 1) * 7;
    const label = rows.map((row, at) => `<tspan x="2" y="${tenth(first + 14 * at)}">${escaped(row)}</tspan>`).join("");
    return `<g class="person" data-track="${face.id}">${parts.join("")}<path class="floor" d="M0 ${tenth(bottom)}H${this.width}"/>` +
      `<text class="person-name">${label}<title>${escaped(name)}</title></text></g>`;
  }

  // A share in percent, or a change in percentage points.
  percent(share) {
    const number = (100 * share).toFixed(1);
    if (!this.signed) return this.say("percent", { number });
    return this.say("points", { number: share < 0 ? number.replace("-", "\u2212") : `+${number}` });
  }

  // The cursor, and the values there in a column of their own.
  drawNow() {
    if (!this.width) return;
    const { state, video, top, bottom, right } = this;
    const parts = [];
    if (state.cursor !== null) {
      const inside = state.cursor >= state.from && state.cursor <= state.to;
      const x = tenth(this.across(state.cursor));
      if (inside) parts.push(`<path class="cursor" d="M${x} ${top}V${bottom}"/>`);
      this.faces.forEach((face, index) => {
        const shares = video.sharesAt(face, state.kind, state.cursor);
        if (this.all) {
          const middle = top + (index + 0.5) * this.row;
          const lead = shares && this.lanes.length ? this.lanes.reduce((most, lane) => shares[lane] > shares[most] ? lane : most) : null;
          const texts = lead === null ? ["\u2013"] : [video.labels[lead], this.percent(shares[lead])];
          parts.push(...texts.map((text, at) => `<text class="value" data-track="${face.id}" x="${right + 8}" y="${tenth(middle + 4 + (at - (texts.length - 1) / 2) * 15)}">${escaped(text)}</text>`));
        } else {
          parts.push(...this.lanes.map((lane, at) => `<text class="value" data-lane="${video.emotions[lane]}" x="${this.width - 2}" ` +
            `y="${tenth(top + (at + 0.5) * this.row + 4)}" text-anchor="end">${shares ? this.percent(shares[lane]) : "\u2013"}</text>`));
        }
      });
    }
    this.now.innerHTML = parts.join("");
  }

  // Marks a stretch while it is being dragged; null: none.
  choose(range) {
    const { chosen, top, bottom } = this;
    chosen.style.display = range ? "" : "none";
    if (!range) return;
    const [from, to] = range.map((place) => within(this.left, this.across(place), this.right)).sort((a, b) => a - b);
    for (const [name, value] of Object.entries({ x: from, width: to - from, y: top, height: bottom - top })) {
      chosen.setAttribute(name, tenth(value));
    }
  }
}
