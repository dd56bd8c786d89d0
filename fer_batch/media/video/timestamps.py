"""The pts of every frame of a video, also if some are missing in the container, or if they jump back."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from av.packet import Packet
from scipy.ndimage import median_filter

JUMP_SECONDS = Fraction(1, 4)
"""If decoding timestamps go back by more than this, the clock has been reset. Smaller steps back are inaccuracies."""

MAX_MISSING_SHARE = Fraction(1, 10)
"""Missing timestamps are filled in for at most this share of a video's frames."""

NEIGHBOUR_PACKETS = 8
"""A missing timestamp is set among those of so many packets before it and after it: an H.264 decoder delays a frame by
at most 16 frames."""

USUAL_STEPS = 9
"""The usual step at a frame is the median of so many steps around it. So fewer than five long steps are gaps, and more
are a stretch with a low frame rate."""

LONGEST_STEPS = 5
"""A frame lasts at most so many usual steps, or LONGEST_SECONDS if that is longer."""

LONGEST_SECONDS = Fraction(1)
"""An expression lasts from half a second to four (Ekman 2003, Emotions Revealed). So a frame tells little about what
comes a second later. Shorter pauses are common: telephones and screen recorders that start slowly, dropped frames."""


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
    corrupt: int = 0
    """Number of packets that are marked as corrupt."""
    jumps: list[int] = field(default_factory=list)
    """Indices, in file order, of the frames before which the clock jumps back for good."""
    differ_from_decoder: bool = False
    """The decoder will give other timestamps: AVI has no presentation timestamps, and FFmpeg estimates them; or some
    timestamps were damaged."""
    _offsets: list[int] = field(default_factory=lambda: [0])
    """What is added to timestamps: before the first jump, after the first, after the second …"""
    _last_dts: int | None = None
    _last_shown: tuple[int, int] | None = None
    """The greatest pts so far, and its packet's duration; 0: unknown."""

    @cached_property
    def _jump_units(self) -> int:
        """JUMP_SECONDS in whole units of the time base."""
        return int(JUMP_SECONDS / self.time_base)

    def add(self, packet: "Packet[Any]", use_dts: bool) -> None:
        """Add the next packet of the file. ``use_dts``: take its decoding timestamp for its presentation timestamp."""
        if packet.dts is not None:
            self._find_jump(packet.dts)
        pts = packet.dts if use_dts else packet.pts
        self.differ_from_decoder |= pts is not None and packet.pts is not None and packet.pts != pts
        self.corrupt += packet.is_corrupt
        if pts is not None:
            pts += self._offsets[-1]
            # Not the latest end of all packets: in mp4 a duration is that of decoding. With B-frames, a packet that is
            # decoded before a gap may be shown after it, and yet have the gap as its duration.
            if self._last_shown is None or pts >= self._last_shown[0]:
                self._last_shown = pts, max(0, packet.duration or 0)
            if packet.is_keyframe:
                self.keyframes.append(pts)
        self.pts.append(pts)

    def add_second_field(self, packet: "Packet[Any]") -> None:
        """Add a packet that completes the frame of the one before: neither's duration is the frame's."""
        self._last_dts = self._last_dts if packet.dts is None else packet.dts
        self.corrupt += packet.is_corrupt
        if self._last_shown is not None and self._last_shown[0] == self.pts[-1]:
            self._last_shown = self._last_shown[0], 0

    def _find_jump(self, dts: int) -> None:
        """Note whether the clock jumps before this decoding timestamp; without jumps these never decrease."""
        if self._last_dts is not None and abs(step := dts - self._last_dts) > self._jump_units:
            expected = self._last_dts + self._offsets[-1] + self._usual_step
            if step < 0:
                self._offsets.append(expected - dts)
                self.jumps.append(len(self.pts))
            elif self.jumps and abs(dts + self._offsets[-2] - expected) <= self._jump_units:
                # It is back where it was before the last jump: the timestamps in between were damaged.
                self._offsets.pop()
                self.jumps.pop()
                self.differ_from_decoder = True
        self._last_dts = dts

    @property
    def _usual_step(self) -> int:
        """The median of the last steps from a frame to the next; 0: unknown."""
        last = sorted(pts for pts in self.pts[-USUAL_STEPS:] if pts is not None)
        return int(np.median(np.diff(last))) if len(last) > 1 else 0

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

    @property
    def last_duration(self) -> int:
        """How long the last frame lasts: its packet's duration, or one usual step; 0: unknown."""
        return (self._last_shown[1] if self._last_shown else 0) or self._usual_step

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


def frame_ends(all_pts: np.ndarray, last_duration: int, time_base: Fraction) -> np.ndarray:
    """(N,) int64: the pts at which each of N frames ends, given their sorted ``all_pts`` (N,) int64.

    A frame ends where the next one begins, and the last one after ``last_duration``. But none lasts longer than
    LONGEST_STEPS and LONGEST_SECONDS allow: what is beyond is a gap.
    """
    steps = np.append(np.diff(all_pts), [last_duration] * (len(all_pts) > 0))
    usual = median_filter(steps, USUAL_STEPS, mode="mirror")
    ends: np.ndarray = all_pts + np.minimum(steps, np.maximum(LONGEST_STEPS * usual, ceil(LONGEST_SECONDS / time_base)))
    return ends
