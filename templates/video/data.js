// The numbers of a video's page: curves in as many points as a chart has, and every frame with its boxes.
const MISSING = -32768;

function unpacked(text, Kind) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  return new Kind(bytes.buffer);
}

// The last of the sorted numbers that is at most this; -1: none.
function last(numbers, most) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= most) low = middle + 1; else high = middle;
  }
  return low - 1;
}

const within = (low, value, high) => Math.min(Math.max(value, low), high);

function clock(seconds, digits = 3) {
  const parts = 10 ** digits;
  const whole = Math.round(Math.abs(seconds) * parts);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / (60 * parts));
  const rest = whole % (60 * parts);
  const fraction = digits ? `.${String(rest % parts).padStart(digits, "0")}` : "";
  return `${seconds < 0 && whole ? "-" : ""}${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(Math.floor(rest / parts))}${fraction}`;
}

// The points of a face's curve: positions, and (N, 7) shares in ten-thousandths.
function coarseCurve(packed) {
  return {
    starts: unpacked(packed.starts, Float64Array), ends: unpacked(packed.ends, Float64Array),
    weights: unpacked(packed.weights, Float32Array), joined: unpacked(packed.joined, Uint8Array),
    means: unpacked(packed.means, Int16Array), lows: unpacked(packed.lows, Int16Array),
    highs: unpacked(packed.highs, Int16Array),
  };
}

// Every frame that was analysed, and each face in it.
class Frames {
  constructor(packed) {
    this.starts = unpacked(packed.starts, Float64Array);
    this.ends = unpacked(packed.ends, Float64Array);
    this.weights = unpacked(packed.weights, Float32Array);
    this.numbers = unpacked(packed.numbers, Uint32Array);
    this.faces = new Map(packed.faces.map((face) => [face.id, {
      packed: face,
      firsts: face.runs.filter((_, index) => index % 2 === 0),
      lengths: face.runs.filter((_, index) => index % 2 === 1),
    }]));
    for (const face of this.faces.values()) {
      let rows = 0;
      face.before = face.lengths.map((length) => (rows += length) - length);
    }
  }

  array(face, name, Kind = Int16Array) {
    face[name] ??= unpacked(face.packed[name], Kind);
    return face[name];
  }

  // The row of a face in the frame of this rank; -1: it is not there.
  row(face, rank) {
    const run = last(face.firsts, rank);
    if (run < 0) return -1;
    const within = rank - face.firsts[run];
    return within < face.lengths[run] ? face.before[run] + within : -1;
  }

  // The rank of the first frame that shows both faces; -1: there is none.
  together(one, other) {
    const [first, second] = [this.faces.get(one), this.faces.get(other)];
    if (!first || !second) return -1;
    for (const [run, begin] of first.firsts.entries()) {
      const end = begin + first.lengths[run];
      const near = second.firsts.findIndex((start, at) => start < end && start + second.lengths[at] > begin);
      if (near >= 0) return Math.max(begin, second.firsts[near]);
    }
    return -1;
  }

  isLeftOut(face, row) {
    return face.packed.left !== "" && this.array(face, "left", Uint8Array)[row] === 1;
  }

  // (7,) shares of a face at a place; null: it is not seen there, or left out.
  sharesAt(id, kind, place) {
    const face = this.faces.get(id);
    const rank = last(this.starts, place);
    if (!face?.packed[kind] || rank < 0 || place >= this.ends[rank]) return null;
    const row = this.row(face, rank);
    const shares = this.array(face, kind);
    if (row < 0 || this.isLeftOut(face, row) || shares[7 * row] === MISSING) return null;
    return Array.from(shares.subarray(7 * row, 7 * row + 7), (share) => share / 10000);
  }

  // The curve of a face, frame by frame, without the frames in which it is left out.
  curve(id, kind) {
    const face = this.faces.get(id);
    if (!face || !face.packed[kind]) return null;
    const shares = this.array(face, kind);
    const ranks = [], rows = [];
    face.firsts.forEach((first, run) => {
      for (let at = 0; at < face.lengths[run]; at++) {
        const row = face.before[run] + at;
        if (!this.isLeftOut(face, row) && shares[7 * row] !== MISSING) { ranks.push(first + at); rows.push(row); }
      }
    });
    const means = new Int16Array(7 * rows.length);
    rows.forEach((row, index) => means.set(shares.subarray(7 * row, 7 * row + 7), 7 * index));
    return {
      starts: Float64Array.from(ranks, (rank) => this.starts[rank]),
      ends: Float64Array.from(ranks, (rank) => this.ends[rank]),
      weights: Float32Array.from(ranks, (rank) => this.weights[rank]),
      joined: Uint8Array.from(ranks, (rank, index) =>
        index > 0 && ranks[index - 1] === rank - 1 && this.starts[rank] - this.ends[rank - 1] <= 0.001 ? 1 : 0),
      means, lows: means, highs: means, ranks, rows,
    };
  }

  // The boxes at a moment: [{ id, x, y, width, height, shares, left }], with (7,) shares of the chart's kind; null: it is
  // left out, or has none. Between two frames that were looked at, and that both show a face, its box moves evenly.
  boxesAt(moment, kind) {
    const rank = last(this.starts, moment + 0.0005);
    if (rank < 0 || moment >= this.ends[rank] + 0.0005) return [];
    const found = [];
    for (const [id, face] of this.faces) {
      const row = this.row(face, rank);
      if (row < 0) continue;
      const boxes = this.array(face, "boxes");
      const box = [...boxes.subarray(4 * row, 4 * row + 4)];
      const next = rank + 1 < this.starts.length ? this.row(face, rank + 1) : -1;
      if (next >= 0) {
        const part = within(0, (moment - this.starts[rank]) / (this.starts[rank + 1] - this.starts[rank]), 1);
        for (let side = 0; side < 4; side++) box[side] += part * (boxes[4 * next + side] - box[side]);
      }
      const [x, y, width, height] = box;
      const shares = this.sharesAt(id, kind, this.starts[rank]);
      found.push({ id, x, y, width, height, shares, left: this.isLeftOut(face, row) });
    }
    return found;
  }
}

class Video {
  constructor(data) {
    Object.assign(this, data);
    [this.low, this.high] = data.extent;
    this.timed = data.unit === "seconds";
    this.shortest = this.timed ? 0.2 : 5;
    this.looked = data.frames ? new Frames(data.frames) : null;
    this.charted = data.charted.map((face) => ({ ...face, coarse: {}, fine: {} }));
    this.track = new Map(data.tracks.map((track) => [track.id, track]));
  }

  // The points of a face's curve: every frame where those are there, or as many as a chart has.
  points(face, kind, whole = false) {
    if (face.curves[kind] && (whole || !this.looked)) return face.coarse[kind] ??= coarseCurve(face.curves[kind]);
    if (!this.looked) return null;
    if (face.fine[kind] === undefined) face.fine[kind] = this.looked.curve(face.id, kind);
    return face.fine[kind];
  }

  // The place of the first frame that shows a charted face.
  get begin() {
    const firsts = this.charted.map((face) => this.points(face, "raw", true)?.starts[0] ?? this.high);
    return within(this.low, Math.min(...firsts), this.high);
  }

  // (7,) shares at a place; null: the face is not seen there.
  sharesAt(face, kind, place) {
    if (this.looked) return this.looked.sharesAt(face.id, kind, place);
    const points = this.points(face, kind);
    const point = points ? last(points.starts, place) : -1;
    if (point < 0 || place >= points.ends[point]) return null;
    return Array.from(points.means.subarray(7 * point, 7 * point + 7), (share) => share / 10000);
  }

  // The points between two places, averaged into at most so many equal stretches, as the static chart is.
  binned(face, kind, from, to) {
    const points = this.points(face, kind, from === this.low && to === this.high);
    if (!points) return [];
    const first = Math.max(0, last(points.starts, from));
    const stop = last(points.starts, to) + 1;
    const bins = [];
    let bin = null;
    for (let point = first; point < stop; point++) {
      if (points.ends[point] <= from) continue;
      const place = stop - first <= this.most ? point : Math.floor((points.starts[point] - from) / (to - from) * this.most);
      if (!bin || bin.place !== place) {
        bin = {
          place, start: points.starts[point], joined: points.joined[point] && bins.length > 0, weight: 0, count: 0,
          sums: new Float64Array(7), plain: new Float64Array(7), lows: new Float64Array(7).fill(2), highs: new Float64Array(7).fill(-2),
        };
        bins.push(bin);
      }
      bin.end = points.ends[point];
      bin.weight += points.weights[point];
      bin.count += 1;
      for (let lane = 0; lane < 7; lane++) {
        const share = points.means[7 * point + lane] / 10000;
        bin.sums[lane] += share * points.weights[point];
        bin.plain[lane] += share;
        bin.lows[lane] = Math.min(bin.lows[lane], points.lows[7 * point + lane] / 10000);
        bin.highs[lane] = Math.max(bin.highs[lane], points.highs[7 * point + lane] / 10000);
      }
    }
    for (const bin of bins) {
      bin.means = bin.weight > 0 ? bin.sums.map((sum) => sum / bin.weight) : bin.plain.map((sum) => sum / bin.count);
    }
    return bins;
  }

  // Stretches between gaps.
  runs(bins) {
    const found = [];
    for (const bin of bins) {
      if (bin.joined && found.length) found[found.length - 1].push(bin); else found.push([bin]);
    }
    return found;
  }
}
