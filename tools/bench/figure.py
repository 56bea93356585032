"""A figure and what it is held against, and how a list of them is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `limit_or_peer` in the same unit: a goal, a physical limit or a peer, as `against` says."""

    name: str
    value: float
    unit: str
    limit_or_peer: float
    against: str

    @property
    def ratio(self) -> float:
        """value / limit_or_peer: under 1 is within a goal, or faster than the peer."""
        return self.value / self.limit_or_peer

    def as_json(self) -> dict[str, str | float]:
        """The five keys that a comparison over time reads."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "limit_or_peer": round(self.limit_or_peer, 4),
            "ratio": round(self.ratio, 3),
        }


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0–1) of all are at or below: nearest rank, so always one that was measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def p50_p99(name: str, seconds: Sequence[float], limit_ms: float, against: str) -> list[Figure]:
    """Two figures in milliseconds from durations in seconds, held against the same limit."""
    return [
        Figure(f"{name} {label}", quantile(seconds, share) * 1000, "ms", limit_ms, against)
        for label, share in (("p50", 0.50), ("p99", 0.99))
    ]


def beside(name: str, seconds: Sequence[float], peer: Sequence[float], against: str) -> list[Figure]:
    """Two figures in milliseconds, each held against the same quantile of a peer measured in the same run."""
    return [
        Figure(
            f"{name} {label}", quantile(seconds, share) * 1000, "ms", quantile(peer, share) * 1000, against
        )
        for label, share in (("p50", 0.50), ("p99", 0.99))
    ]


def table(figures: Sequence[Figure]) -> str:
    """A small table, columns lined up."""
    rows = [("figure", "value", "", "against", "", "", "ratio")]
    rows += [
        (
            figure.name,
            f"{figure.value:.3f}",
            figure.unit,
            f"{figure.limit_or_peer:.3f}",
            figure.unit,
            figure.against,
            f"{figure.ratio:.2f}",
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    right = {1, 3, 6}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
