"""How sure a share is that was counted on a sample."""

from math import sqrt

NORMAL_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson_interval(correct: int, samples: int, quantile: float = NORMAL_95) -> tuple[float, float]:
    """Wilson's score interval of a binomial share (E. B. Wilson, JASA 22, 1927), 95 % unless asked otherwise.

    Raises:
        ValueError: no samples, or ``correct`` outside ``0..samples``.
    """
    if samples < 1 or not 0 <= correct <= samples:
        raise ValueError(f"correct must lie in 0..samples and samples be at least 1, not {correct} of {samples}")
    share, spread = correct / samples, quantile**2 / samples
    centre = (share + spread / 2) / (1 + spread)
    half = quantile * sqrt(share * (1 - share) / samples + spread / (4 * samples)) / (1 + spread)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))
