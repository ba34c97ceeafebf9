"""Where the points of a calibration plot stand. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.risk.evaluation import Bin

SIDE = 240  # of the square, in the plot's own units
EDGE = 36  # around it, for what is written there
LEAST, MOST = 4, 12  # radius


@dataclass(frozen=True)
class Point:
    """One bin: told a chance (across), came true so often (up); the larger, the more it stands
    for."""

    x: float
    y: float
    radius: float
    bin: Bin

    @property
    def foreseen(self) -> int:
        return round(self.bin.foreseen * 100)


@dataclass(frozen=True)
class Plot:
    points: list[Point]
    side: int = SIDE
    edge: int = EDGE

    @property
    def size(self) -> int:
        return self.side + 2 * self.edge

    @property
    def end(self) -> int:
        return self.edge + self.side

    @property
    def ticks(self) -> list[tuple[int, int, int]]:
        """(per cent, where across, where up)."""
        return [(each, *self._at(each / 100, each / 100)) for each in (0, 25, 50, 75, 100)]

    def _at(self, across: float, up: float) -> tuple[int, int]:
        return round(self.edge + across * self.side), round(self.end - up * self.side)


def calibration(bins: Sequence[Bin]) -> Plot:
    largest = max((each.count for each in bins), default=1)
    frame = Plot([])
    return Plot(
        [
            Point(
                *frame._at(each.foreseen, each.happened / each.count),
                radius=round(LEAST + (MOST - LEAST) * (each.count / largest) ** 0.5, 1),
                bin=each,
            )
            for each in bins
        ]
    )
