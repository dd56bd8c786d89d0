// A link to what is shown: #t=12.5&face=0, and the part of the video, the values and the lanes where they are not the usual.
const number = (value) => String(Math.round(value * 1000) / 1000);

function asHash(state, video) {
  const parts = [];
  if (state.cursor !== null) parts.push(`t=${number(state.cursor)}`);
  if (state.who !== null) parts.push(`face=${state.who}`);
  if (state.from !== video.low || state.to !== video.high) parts.push(`from=${number(state.from)}`, `to=${number(state.to)}`);
  if (state.kind !== video.kindOfEpisodes) parts.push(`values=${state.kind}`);
  if (state.off.size) parts.push(`off=${[...state.off].map((lane) => video.emotions[lane]).join(",")}`);
  if (!state.boxes) parts.push("boxes=0");
  return `#${parts.join("&")}`;
}

// What a link says; null: it is a link to something else.
function fromHash(hash, video) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  if (!["t", "face", "from", "to", "values", "off", "boxes"].some((name) => said.has(name))) return null;
  const seconds = (name) => said.has(name) && said.get(name).trim() && Number.isFinite(Number(said.get(name))) ? Number(said.get(name)) : null;
  const [t, from, to, face] = [seconds("t"), seconds("from"), seconds("to"), seconds("face")];
  return {
    cursor: t === null ? null : within(video.low, t, video.high),
    who: face !== null && video.track.has(face) ? face : null,
    from: from === null ? video.low : from,
    to: to === null ? video.high : to,
    kind: video.kinds.includes(said.get("values")) ? said.get("values") : video.kindOfEpisodes,
    off: new Set((said.get("off") || "").split(",").map((name) => video.emotions.indexOf(name)).filter((lane) => lane >= 0)),
    boxes: said.get("boxes") !== "0",
  };
}
