"""The pts of every frame of a video, also if some are missing in the container, or if they jump back."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from av.packet import Packet

JUMP_SECONDS = Fraction(1, 4)
"""If decoding timestamps go back by more than this, the clock has been reset. Smaller steps back are inaccuracies."""

MAX_MISSING_SHARE = Fraction(1, 10)
"""Missing timestamps are filled in for at most this share of a video's frames."""

NEIGHBOUR_PACKETS = 8
"""A missing timestamp is set among those of so many packets before it and after it: an H.264 decoder delays a frame by
at most 16 frames."""


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
    end: int | None = None
    """The pts at which the last frame ends."""
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
    _shortest_step: int = 0
    """The least difference of the decoding timestamps of two successive packets so far; 0: unknown."""

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
            self.end = max(pts + (packet.duration or 0), pts if self.end is None else self.end)
            if packet.is_keyframe:
                self.keyframes.append(pts)
        self.pts.append(pts)

    def _find_jump(self, dts: int) -> None:
        """Note whether the clock jumps before this decoding timestamp; without jumps these never decrease."""
        step = 0 if self._last_dts is None else dts - self._last_dts
        ahead, limit = step - self._shortest_step, self._jump_units
        if ahead < -limit:
            self._offsets.append(self._offsets[-1] - ahead)
            self.jumps.append(len(self.pts))
        elif ahead > limit and self.jumps and abs(ahead + self._offsets[-2] - self._offsets[-1]) <= limit:
            # It is back where it was before the last jump: the timestamps in between were damaged.
            self._offsets.pop()
            self.jumps.pop()
            self.differ_from_decoder = True
        elif step > 0:
            self._shortest_step = min(self._shortest_step or step, step)
        self._last_dts = dts

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
