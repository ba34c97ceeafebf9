"""How sure a share is, and the difference between two: intervals from counts alone."""

from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

from analytics.figures import Rate

CONFIDENCE = 0.95
POWER = 0.8  # how often a difference as large as this is seen, when there is one


def quantile(tests: int = 1) -> float:
    """Of the normal distribution, for both sides; of several tests at once, so that the level holds
    for all of them together (Bonferroni)."""
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2 / max(1, tests))


Z = quantile()


class Interval(NamedTuple):
    """From the lowest value that fits what was counted to the highest."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def wilson(of: Rate, z: float = Z) -> Interval:
    """Of one share.

    Score interval without continuity correction: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927)
    209-212; method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872.
    """
    n = of.denominator
    if n == 0:
        return Interval(0.0, 1.0)
    share = of.numerator / n
    middle = (2 * n * share + z * z) / (2 * (n + z * z))
    half = z * sqrt(z * z + 4 * n * share * (1 - share)) / (2 * (n + z * z))
    # At the ends it is exact, whatever the rounding.
    low = 0.0 if of.numerator == 0 else middle - half
    high = 1.0 if of.numerator == n else middle + half
    return Interval(low, high)


def newcombe(one: Rate, other: Rate, z: float = Z) -> Interval:
    """Of the difference between the shares of two samples that have nothing in common.

    Hybrid score interval without continuity correction, method 10 of R. G. Newcombe, "Interval
    estimation for the difference between independent proportions: comparison of eleven methods",
    Statistics in Medicine 17 (1998) 873-890.
    """
    if not one.denominator or not other.denominator:
        return Interval(-1.0, 1.0)
    p1, p2 = one.numerator / one.denominator, other.numerator / other.denominator
    (l1, u1), (l2, u2) = wilson(one, z), wilson(other, z)
    difference = p1 - p2
    return Interval(
        difference - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
        difference + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2),
    )


def needed(one: Rate, other: Rate) -> int | None:
    """How many there would have to be on either side, about, for a difference of this size to be
    told apart from none; None where there is none.

    J. L. Fleiss, Statistical Methods for Rates and Proportions (2nd ed. 1981), formula 3.14.
    """
    p1, p2 = one.share, other.share
    if p1 is None or p2 is None or p1 == p2:
        return None
    middle = (p1 + p2) / 2
    wanted = Z * sqrt(2 * middle * (1 - middle))
    wanted += NormalDist().inv_cdf(POWER) * sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return ceil((wanted / (p1 - p2)) ** 2)
