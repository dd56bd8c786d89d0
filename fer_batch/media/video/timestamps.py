"""The pts of every frame of a video, also if some are missing in the container, or if they jump back."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from av.packet import Packet
from numpy.lib.stride_tricks import sliding_window_view

from fer_batch.media.video.layout import TrackEnd

JUMP_SECONDS = Fraction(1, 4)
"""If decoding timestamps go back by more than this, the clock has been reset. Smaller steps back are inaccuracies."""

MAX_MISSING_SHARE = Fraction(1, 10)
"""Missing timestamps are filled in for at most this share of a video's frames."""

SEAM_PACKETS = 2
"""How far from where two videos are joined FFmpeg gives a packet, or its mark: its parser gathers packets."""

NEIGHBOUR_PACKETS = 8
"""A missing timestamp is set among those of so many packets before it and after it: an H.264 decoder delays a frame by
at most 16 frames."""

HEADER_TOLERANCE_SECONDS = Fraction(1, 1000)
"""Edit lists of mp4 round the end of a video to milliseconds."""

USUAL_STEPS = 9
"""The usual step at a frame is the median of so many steps around it. So fewer than five long steps are gaps, and more
are a stretch with a low frame rate."""

LONGEST_STEPS = 5
"""A frame lasts at most so many usual steps, or LONGEST_SECONDS if that is longer."""

LONGEST_SECONDS = Fraction(1)
"""An expression lasts from half a second to four (Ekman 2003, Emotions Revealed). So a frame tells little about what
comes a second later. Shorter pauses are common: telephones and screen recorders that start slowly, dropped frames."""


class _Leap(NamedTuple):
    """A place at which decoding timestamps jump back or forward."""

    frame: int
    """Index, in file order, of the frame after it."""
    back: bool
    size: int
    """How much later that frame is decoded than one usual step after the one before; negative: earlier."""
    usual_step: int
    """The usual step before it."""


@dataclass
class Timestamps:
    """The timestamps of a video's frames, collected packet by packet in file order.

    If the clock jumps back, as in videos that were joined, an offset is added to the timestamps that follow, so that
    time goes on without a jump.
    """

    time_base: Fraction
    """Seconds in one unit of a timestamp."""
    pts: list[int | None] = field(default_factory=list)
    """The pts of each frame in file order; None: it has none."""
    keyframes: list[int] = field(default_factory=list)
    """The pts of the keyframes in file order."""
    marked: list[int] = field(default_factory=list)
    """Indices, in file order, of the frames whose packets are marked as corrupt."""
    jumps: list[int] = field(default_factory=list)
    """Indices, in file order, of the frames before which the clock jumps back for good."""
    differ_from_decoder: bool = False
    """The decoder will give other timestamps: AVI has no presentation timestamps, and FFmpeg estimates them; or some
    timestamps were damaged."""
    _offsets: list[int] = field(default_factory=lambda: [0])
    """What is added to timestamps: before the first jump, after the first, after the second …"""
    _leap: _Leap | None = None
    """The last time that the clock jumped back or forward."""
    _last_dts: int | None = None
    _last_shown: tuple[int, int] | None = None
    """The greatest pts so far, and its packet's duration; 0: unknown."""
    _last_duration: int = 0
    """The duration of the last packet in file order; 0: unknown."""
    _reordered: bool = False
    """There are B-frames: some frames are shown later than they are decoded."""

    @cached_property
    def _jump_units(self) -> int:
        """JUMP_SECONDS in whole units of the time base."""
        return int(JUMP_SECONDS / self.time_base)

    def add(self, packet: "Packet[Any]", use_dts: bool) -> None:
        """Add the next packet of the file. ``use_dts``: take its decoding timestamp for its presentation timestamp."""
        if packet.dts is not None:
            self._find_jump(packet.dts)
        pts = packet.dts if use_dts else packet.pts
        if self.jumps and self.jumps[-1] == len(self.pts) and pts is not None and packet.is_keyframe:
            self._begin_anew(pts)
        self.differ_from_decoder |= pts is not None and packet.pts is not None and packet.pts != pts
        if packet.is_corrupt:
            self.marked.append(len(self.pts))
        if pts is not None:
            pts += self._offsets[-1]
            self._last_duration = max(0, packet.duration or 0)
            self._reordered |= packet.pts != packet.dts
            if self._last_shown is None or pts >= self._last_shown[0]:
                self._last_shown = pts, self._last_duration
            if packet.is_keyframe:
                self.keyframes.append(pts)
        self.pts.append(pts)

    def add_second_field(self, packet: "Packet[Any]") -> None:
        """Add a packet that completes the frame of the one before: neither's duration is the frame's."""
        self._last_dts = self._last_dts if packet.dts is None else packet.dts
        if packet.is_corrupt:
            self.marked.append(len(self.pts) - 1)
        self._last_duration = 0
        if self._last_shown is not None and self._last_shown[0] == self.pts[-1]:
            self._last_shown = self._last_shown[0], 0

    def _find_jump(self, dts: int) -> None:
        """Note whether the clock jumps before this decoding timestamp; without jumps these never decrease."""
        moved = 0 if self._last_dts is None else dts - self._last_dts
        self._last_dts = dts
        if abs(moved) <= self._jump_units:
            return
        last = self._leap
        if last and (moved < 0) is not last.back and abs(moved - last.usual_step + last.size) <= self._jump_units:
            self._undo(last)
            return
        step = self._usual_step
        self._leap = _Leap(len(self.pts), moved < 0, moved - step, step)
        if moved < 0:
            self._offsets.append(self._offsets[-1] + step - moved)
            self.jumps.append(len(self.pts))

    def _begin_anew(self, pts: int) -> None:
        """A joined video begins with this keyframe: none of its frames comes before the end of the one before.

        Decoding timestamps do not tell this in Matroska, which has none: FFmpeg has them begin without a delay. So they
        are early by a decoder's delay, at most 16 frames. A last timestamp that is later than that was damaged.
        """
        step = self._usual_step
        if self._last_shown is not None:
            early = self._last_shown[0] + (self._last_shown[1] or step) - pts - self._offsets[-1]
            self._offsets[-1] += early if 0 < early <= 2 * NEIGHBOUR_PACKETS * step else 0

    def _undo(self, leap: _Leap) -> None:
        """The clock is back where it was before this leap: the timestamps since then were damaged."""
        if leap.back:
            self._offsets.pop()
            self.jumps.pop()
        else:
            self.pts[leap.frame :] = [pts and pts - leap.size for pts in self.pts[leap.frame :]]
            self._last_shown = None
        self._leap = None
        self.differ_from_decoder = True

    @property
    def _usual_step(self) -> int:
        """The usual step at the end of what was added so far; 0: unknown."""
        return _last_step(sorted(pts for pts in self.pts[-USUAL_STEPS:] if pts is not None))

    @property
    def corrupt(self) -> int:
        """Number of packets that are marked as corrupt, but for those where the clock jumps back.

        At the seam of two joined transport streams, FFmpeg marks one of the packets around it: their counters differ.
        """
        return sum(all(abs(at - jump) > SEAM_PACKETS for jump in self.jumps) for at in self.marked)

    @property
    def known(self) -> list[int]:
        """The pts of the frames that have one, in file order."""
        return [pts for pts in self.pts if pts is not None]

    @property
    def missing(self) -> int:
        """Number of frames without a pts."""
        return len(self.pts) - len(self.known)

    @property
    def fillable(self) -> bool:
        """Few timestamps are missing, and more than corrupt packets could explain: :meth:`filled` may be used."""
        return self.corrupt < self.missing <= MAX_MISSING_SHARE * len(self.pts) and len(self.known) > 1

    def discard_displaced(self) -> None:
        """Take away the few pts that no decoder could give: of frames shown much later or earlier than decoded."""
        known = np.array([index for index, pts in enumerate(self.pts) if pts is not None], np.int64)
        order = np.argsort(np.array(self.known), kind="stable")
        displaced = known[order[np.abs(order - np.arange(len(order))) > 2 * NEIGHBOUR_PACKETS]]
        if 0 < len(displaced) <= MAX_MISSING_SHARE * len(self.pts):
            for index in displaced.tolist():
                self.pts[index] = None
            self._last_shown = max(self.known), 0

    def last_duration(self, *, mp4: bool = False, track: TrackEnd | None = None, cut: bool = False) -> int:
        """How long the frame that is shown last lasts, in units of the time base; 0: unknown.

        Args:
            mp4: it is an mp4 or one of its kin.
            track: what its index says of the end of the video; None: it has none.
            cut: its edit list leaves some frames out.

        In mp4, a packet's duration is the time until the next one is decoded. Without B-frames, the last frame lasts as
        long as the last sample (FFmpeg 8 may give its packet the duration of another one, where an edit list cuts
        frames off), but not beyond the edit list. With B-frames, the last frame may be decoded before others: then the
        edit list tells where it ends. FFmpeg writes wrong ones when it cuts such videos without decoding them. Then,
        and where there is none, the shorter one of the packets that are shown and decoded last is taken.
        """
        if self._last_shown is None:
            return 0
        pts, duration = self._last_shown
        if not mp4:
            return duration
        last_sample, edited = self._last_duration, 0
        if track is not None:
            if last_sample:  # else the frame has two fields, and each may be a sample
                last_sample = round(track.last_sample / self.time_base) or last_sample
            edited = round((track.edited or 0) / self.time_base) - pts
        said = min(duration, last_sample) if self._reordered else last_sample
        tolerance = HEADER_TOLERANCE_SECONDS / self.time_base
        if edited <= 0 or (self._reordered and cut) or abs(edited - said) <= tolerance:
            return said
        if not self._reordered:
            return min(edited, said) if said else edited
        return next((one for one in (duration, last_sample) if abs(edited - one) <= tolerance), edited)

    def filled(self) -> list[int]:
        """The pts of all frames, sorted; missing ones are set among those of their neighbours in the file."""
        filled = sorted(self.known)
        step = max(1, int(np.median(np.diff(filled))))
        for index, pts in enumerate(self.pts):
            if pts is None:
                near = self.pts[max(0, index - NEIGHBOUR_PACKETS) : index + NEIGHBOUR_PACKETS + 1]
                neighbours = [pts for pts in near if pts is not None] or filled
                low, high = bisect_left(filled, min(neighbours)), bisect_right(filled, max(neighbours))
                insort(filled, _filled_in(filled[low:high], step, first=index == 0))
        return filled


def _filled_in(neighbours: list[int], step: int, first: bool) -> int:
    """A pts in the widest gap between ``neighbours`` if that is unusual; else after the last, or before the first."""
    gap, low = max(((high - low, low) for low, high in pairwise(neighbours)), default=(0, 0))
    if 2 * gap > 3 * step:
        return low + gap // round(gap / step)
    return neighbours[0] - step if first else neighbours[-1] + step


def _last_step(pts: Sequence[int] | np.ndarray) -> int:
    """The median of the last steps between sorted ``pts``; 0: there is none."""
    steps = np.diff(pts[-USUAL_STEPS:])
    return int(np.median(steps)) if len(steps) else 0


def frame_ends(all_pts: np.ndarray, last_duration: int, time_base: Fraction) -> np.ndarray:
    """(N,) int64: the pts at which each of N frames ends, given their sorted ``all_pts`` (N,) int64.

    A frame ends where the next one begins, and the last one after ``last_duration``; if that is 0, unknown, after one
    usual step. But none lasts longer than LONGEST_STEPS and LONGEST_SECONDS allow: what is beyond is a gap.
    """
    if not len(all_pts):
        return all_pts
    steps = np.append(np.diff(all_pts), last_duration or _last_step(all_pts))
    around = np.pad(steps, USUAL_STEPS // 2, mode="reflect")
    usual = np.median(sliding_window_view(around, USUAL_STEPS), axis=1).astype(np.int64)
    longest = np.maximum(LONGEST_STEPS * usual, ceil(LONGEST_SECONDS / time_base))
    ends: np.ndarray = all_pts + np.minimum(steps, longest)
    return ends
