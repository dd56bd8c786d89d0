const UNKNOWN = "#bbb"; // of the box of a face without shares

// Draws on the playing video: each face's box, its number or name, its leading emotion and how large its share is, of
// the values that the chart shows.
class Boxes {
  // `nameOf` gives a track's name, `percent` a share as the chart has it, `open` is called with the track whose box is
  // clicked.
  constructor(video, state, player, canvas, { nameOf, percent, open, onMoment }) {
    Object.assign(this, { video, state, player, canvas, nameOf, percent, open, onMoment });
    this.moment = null; // the second of the frame that is shown, as tables count
    this.drawn = [];
    const exact = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    const show = (seconds) => { this.moment = seconds - video.start; this.draw(); this.onMoment(this.moment); };
    if (exact) {
      let told = false; // whether a frame was told of since it went elsewhere
      const next = (_, { mediaTime }) => {
        player.requestVideoFrameCallback(next);
        if (player.paused && !this.isShown(mediaTime, player.currentTime)) return; // told of late: it is gone already
        told = true;
        show(mediaTime);
      };
      player.requestVideoFrameCallback(next);
      // A frame that comes right after another one may not be told of.
      player.addEventListener("seeking", () => { told = false; });
      player.addEventListener("seeked", () => setTimeout(() => {
        if (player.paused && !told) show(this.frameAt(player.currentTime));
      }, 60));
    } else {
      const run = () => {
        if (player.readyState > 1) show(this.frameAt(player.currentTime));
        if (!player.paused && !player.ended) requestAnimationFrame(run);
      };
      player.addEventListener("play", run);
      player.addEventListener("seeked", run);
      player.addEventListener("loadeddata", run);
    }
    new ResizeObserver(() => this.draw()).observe(player);
    player.addEventListener("click", (event) => this.click(event), true);
    player.addEventListener("pointermove", (event) => { player.style.cursor = this.at(event) ? "pointer" : ""; });
  }

  // When the frame began that is shown at a second of the player, if every frame was analysed, as brief ones tell.
  frameAt(seconds) {
    const { looked, start } = this.video;
    const rank = looked ? last(looked.starts, seconds - start + 0.0005) : -1;
    return rank >= 0 && looked.ends[rank] - looked.starts[rank] <= 0.1 ? looked.starts[rank] + start : seconds;
  }

  // Whether a frame that began then can be the one that is shown now.
  isShown(began, now) {
    const { looked, start } = this.video;
    const rank = (seconds) => (looked ? last(looked.starts, seconds - start + 0.0005) : -1);
    return Math.abs(now - began) <= 0.1 || rank(now) === rank(began);
  }

  // Where the picture is within the player, and how many of the player's pixels one of a timeline's is.
  place() {
    const { videoWidth, videoHeight, clientWidth, clientHeight } = this.player;
    if (!videoWidth || !clientWidth) return null;
    const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
    const width = videoWidth * scale, height = videoHeight * scale;
    let [across, down] = this.video.size || [videoWidth, videoHeight];
    // The size is that of the stored frame: players turn it.
    const ratio = Math.log(videoWidth / videoHeight);
    if (Math.abs(ratio - Math.log(down / across)) < Math.abs(ratio - Math.log(across / down))) [across, down] = [down, across];
    return {
      left: (clientWidth - width) / 2, top: (clientHeight - height) / 2, x: width / across, y: height / down, width, height,
    };
  }

  draw() {
    const { canvas, player } = this;
    const place = this.place();
    this.drawn = canvas.drawn = [];
    canvas.moment = this.moment;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(player.clientWidth * scale), Math.round(player.clientHeight * scale)];
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!place || this.moment === null || !this.video.looked || !this.video.timed || !this.state.boxes) return;
    const size = within(11, place.height / 28, 18);
    pen.font = `600 ${size}px ${getComputedStyle(player).fontFamily}`;
    pen.textBaseline = "middle";
    for (const face of this.video.looked.boxesAt(this.moment, this.state.kind)) {
      const box = {
        id: face.id, x: place.left + face.x * place.x, y: place.top + face.y * place.y,
        width: face.width * place.x, height: face.height * place.y,
      };
      this.drawn.push(box);
      this.drawOne(pen, box, face, size, place);
    }
  }

  drawOne(pen, box, face, size, place) {
    const { shares } = face;
    const lead = shares ? shares.indexOf(Math.max(...shares)) : -1;
    const colour = shares ? this.video.colours[lead] : UNKNOWN;
    const label = shares ? `${this.video.labels[lead]} ${this.percent(shares[lead])}` : "";
    const chosen = this.state.who === face.id;
    pen.setLineDash(face.left ? [4, 4] : []);
    pen.lineWidth = chosen ? 6 : 4;
    pen.strokeStyle = "rgba(0, 0, 0, 0.65)";
    pen.strokeRect(box.x, box.y, box.width, box.height);
    pen.lineWidth = chosen ? 3.5 : 2;
    pen.strokeStyle = colour;
    pen.strokeRect(box.x, box.y, box.width, box.height);
    pen.setLineDash([]);
    const lines = [this.nameOf(face.id)];
    if (label) lines.push(label);
    const pad = size * 0.35, row = size * 1.3;
    const width = Math.max(...lines.map((line) => pen.measureText(line).width), 60) + 2 * pad;
    const height = row * lines.length + (label ? pad + 2 : 0);
    // Above the box, or where there is no room, below it; always within the picture.
    let top = box.y - height - 3;
    if (top < place.top) top = Math.min(box.y + box.height + 3, place.top + place.height - height);
    const left = within(place.left, box.x, Math.max(place.left, place.left + place.width - width));
    pen.fillStyle = "rgba(0, 0, 0, 0.72)";
    pen.fillRect(left, top, width, height);
    pen.fillStyle = "#fff";
    lines.forEach((line, index) => pen.fillText(line, left + pad, top + row * (index + 0.5)));
    box.label = label;
    if (!label) return;
    pen.fillStyle = "rgba(255, 255, 255, 0.25)";
    pen.fillRect(left, top + height - pad - 1, width, pad + 1);
    pen.fillStyle = colour;
    pen.fillRect(left, top + height - pad - 1, width * within(0, shares[lead], 1), pad + 1);
  }

  // The smallest box at a pointer; the player's own controls are not covered.
  at(event) {
    const frame = this.player.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    if (y > frame.height - 56) return null;
    return this.drawn
      .filter((box) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height)
      .sort((one, other) => one.width * one.height - other.width * other.height)[0] || null;
  }

  click(event) {
    const box = this.at(event);
    if (!box) return;
    event.preventDefault(); // else it would play or stop
    event.stopPropagation();
    this.open(box.id);
  }
}
