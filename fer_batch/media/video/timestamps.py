"""Every frame's stamp, also where the container's own are missing or jump back."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from av.packet import Packet

JUMP_SECONDS = Fraction(1, 4)
"""By so much the clock must go back to be taken for another one: smaller steps are untidy stamps."""

MOST_GUESSED = Fraction(1, 10)
"""Of a film's frames, whose missing stamps are set between their neighbours'."""

NEIGHBOURS = 8
"""Packets on each side among which a missing stamp is set: H.264 shows no frame more than 16 frames later."""


@dataclass
class Timestamps:
    """Stamps of a film's frames, gathered packet by packet in the order of the file.

    Where the clock jumps back, as where films were put one behind the other, the film goes on from where it was.
    """

    time_base: Fraction
    """Seconds in one unit of a stamp."""
    found: list[int | None] = field(default_factory=list)
    """One a frame; None: it has none."""
    keyframes: list[int] = field(default_factory=list)
    end: int | None = None
    """Where the last frame ends."""
    corrupt: int = 0
    """Packets that are marked so."""
    jumps: list[int] = field(default_factory=list)
    """The frames before which the clock jumps back and stays there, in the order of the file."""
    differ_from_decoder: bool = False
    """The decoder will give its frames other stamps than these: FFmpeg's guesses, where AVI has none for showing."""
    _offsets: list[int] = field(default_factory=lambda: [0])
    """What was added to the stamps before the first jump, after the first, and so on."""
    _dts: int | None = None
    _step: int = 0
    """The shortest from one packet to the next so far."""

    @cached_property
    def _jump(self) -> int:
        """JUMP_SECONDS in whole units of the time base."""
        return int(JUMP_SECONDS / self.time_base)

    def add(self, packet: "Packet[Any]", decoding_times: bool) -> None:
        """Take the next packet."""
        if packet.dts is not None:
            self._follow(packet.dts)
        duration = packet.duration or 0
        pts = packet.dts if decoding_times else packet.pts
        self.differ_from_decoder |= pts is not None and packet.pts is not None and packet.pts != pts
        self.corrupt += packet.is_corrupt
        if pts is not None:
            pts += self._offsets[-1]
            self.end = max(pts + duration, pts if self.end is None else self.end)
            if packet.is_keyframe:
                self.keyframes.append(pts)
        self.found.append(pts)

    def _follow(self, dts: int) -> None:
        """See where the clock of decoding is, which never goes back while it is one and the same."""
        ahead = 0 if self._dts is None else dts - self._dts - self._step
        if ahead < -self._jump:
            self._offsets.append(self._offsets[-1] - ahead)
            self.jumps.append(len(self.found))
        elif ahead > self._jump and self.jumps and abs(ahead + self._offsets[-2] - self._offsets[-1]) <= self._jump:
            self._offsets.pop()  # there again: those stamps were damaged
            self.jumps.pop()
            self.differ_from_decoder = True
        elif self._dts is not None and dts > self._dts:
            self._step = min(self._step or dts - self._dts, dts - self._dts)
        self._dts = dts

    @property
    def known(self) -> list[int]:
        """Those that there are, in the order of the file."""
        return [pts for pts in self.found if pts is not None]

    @property
    def missing(self) -> int:
        """How many there are not."""
        return len(self.found) - len(self.known)

    @property
    def fillable(self) -> bool:
        """A few are missing, and no damage is there to say why."""
        return self.corrupt < self.missing <= MOST_GUESSED * len(self.found) and len(self.known) > 1

    def filled(self) -> list[int]:
        """All, sorted; the missing ones are set into the widest gap among their neighbours, or before or after them."""
        filled = sorted(self.known)
        step = max(1, int(np.median(np.diff(filled))))
        for at, pts in enumerate(self.found):
            if pts is None:
                near = self.found[max(0, at - NEIGHBOURS) : at + NEIGHBOURS + 1]
                around = [one for one in near if one is not None] or filled
                low, high = bisect_left(filled, min(around)), bisect_right(filled, max(around))
                insort(filled, _amid(filled[low:high], step, first=at == 0))
        return filled


def _amid(around: list[int], step: int, first: bool) -> int:
    """A step into the widest gap, if one is wider than usual; else a step after the last, or before the first."""
    wide, low = max(((high - low, low) for low, high in pairwise(around)), default=(0, 0))
    if 2 * wide > 3 * step:
        return low + wide // round(wide / step)
    return around[0] - step if first else around[-1] + step
