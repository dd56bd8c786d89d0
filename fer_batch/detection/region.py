"""Pure: the part of every picture that is looked at, where somebody has named one."""

from dataclasses import dataclass

from fer_batch.types import Box


@dataclass(frozen=True)
class Region:
    """A rectangle in whole pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Region | None":
        """The part of it that lies in a picture of that size; None: it lies outside."""
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        if right <= self.x or bottom <= self.y:
            return None
        return Region(self.x, self.y, right - self.x, bottom - self.y)

    def holds(self, box: Box) -> bool:
        """Whether a face belongs to it: its centre does."""
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height
