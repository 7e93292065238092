"""What every way of probing has: its outcome, and how rows are scaled, paired and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError
from fer_lightning.probe.distances import Pairs, kind_of, prepared
from fer_lightning.probe.estimators import Point, gamma_of
from fer_lightning.probe.memory import Load
from fer_lightning.probe.search import Part

Tick = Callable[[int], object]


@dataclass(frozen=True)
class Outcome:
    """What a probe says of the rows that it tested.

    Attributes:
        scores: float64 (N, K), larger is more of that class against the rest: one column an
            emotion or an action unit. nan where nothing was measured: for a class or unit that
            the rows to fit had not both with and without, and for a unit that is unknown in the
            row. A column of nan alone is an unmeasured class or unit.
        predicted: Class numbers, (N,); of units 0 or 1, (N, U), whatever the row's own is.
        tested: Fold in which the row was tested, (N,); 0 where another set was.
        settings: Plain data: the chosen setting, the accuracy that the search found for it, the
            same of each fold when nested, and the rows fitted.
    """

    scores: NDArray[np.float64]
    predicted: NDArray[np.int64]
    tested: NDArray[np.int64]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Probe:
    """A classifier and how it is fitted.

    Attributes:
        method: The classifier.
        settings: Of the probe; its folds are taken to have rows.
        tick: Called with 1 after every step; each protocol says how many it has.
    """

    method: Method
    settings: ProbeSettings
    tick: Tick

    def pairs(self, fit: NDArray[np.float32], test: NDArray[np.float32]) -> Pairs:
        """Distances or products of rows, which are overwritten: (n, d) to fit, (m, d) to test."""
        return prepared(fit, test, kind_of(self.method, self.settings), self.settings)

    def record(self, parts: list[Part]) -> dict[str, Any]:
        """What was fitted, by which method; whatever a reader needs to repeat it."""
        given = {key: value for key, value in asdict(self.settings).items() if key in RECORDED}
        rows = max(len(part.fit) for part in parts)
        return given | {"classifier": self.method.name, "rows_fitted": rows}


RECORDED = (
    "evaluations",
    "inner_folds",
    "components",
    "balanced",
    "max_rows",
    "nystroem",
    "seed",
)
"""Settings that stand beside an outcome."""


def load_across(
    fit: NDArray[np.float32], rows: NDArray[np.int64], test: NDArray[np.float32]
) -> Load:
    """Sizes where ``rows`` of one set, (n, d), are fitted and all of another, (m, d), tested."""
    return Load(rows=len(fit) + len(test), fit=len(rows), test=len(test), width=fit.shape[1])


def plain_point(point: Point) -> dict[str, Any]:
    """A setting as it is written down, with the kernel scale as scikit-learn's gamma, too."""
    gamma = {"gamma": gamma_of(point)} if "kernel_scale" in point else {}
    return dict(point) | gamma


def check_vectors(vectors: NDArray[np.float32]) -> None:
    """Refuse features that nothing can be fitted to.

    Args:
        vectors: (N, d).

    Raises:
        UserError: If there are none, or some are not finite.
    """
    if not len(vectors):
        raise UserError("there are no images to probe; look at the filters of the data")
    # The least and the greatest value show nan and infinity without a copy of all.
    if not (np.isfinite(vectors.min()) and np.isfinite(vectors.max())):
        broken = int((~np.isfinite(vectors).all(axis=1)).sum())
        raise UserError(
            f"the features of {broken:,} of {len(vectors):,} images are not finite: the network's "
            "training diverged; give another run, layer or feature"
        )
