"""What a probe needs of memory, known before it starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError
from fer_lightning.probe.distances import BLOCK, Kind, kind_of

GIGABYTE = 10**9
CACHE = 200 * 10**6
"""Bytes of kernel rows that LibSVM keeps."""
ROUND = 100
"""Offered numbers of rows are multiples of this."""
LANDMARKS = 1_000
"""Nyström features to offer, or fewer where these are too many."""


@dataclass(frozen=True)
class Load:
    """Sizes of the largest fold.

    Attributes:
        rows: Vectors held, those to test included.
        fit: Rows that a fold fits.
        test: Rows that a fold scores.
        width: Values of a vector.
        folds: How often rows are fitted at one setting; 1 without cross-validation.
        gaps: Whether some of the rows to fit are left out, as those of unknown units are.
    """

    rows: int
    fit: int
    test: int
    width: int
    folds: int = 1
    gaps: bool = False


def bytes_of_pairs(load: Load, method: Method, settings: ProbeSettings) -> int:
    """What :class:`~fer_lightning.probe.distances.Pairs` of one fold take, float32."""
    kind, fit = kind_of(method, settings), _fitted(load, settings)
    wide = _columns(load, kind, fit, settings)
    basis = wide * wide if kind is Kind.landmarks else 0
    return 4 * ((fit + load.test) * wide + basis)


def bytes_needed(
    load: Load, method: Method, settings: ProbeSettings, every_fold: bool = False
) -> int:
    """Peak bytes of a call: the vectors, pairs of a fold, and making or using them.

    Args:
        load: Sizes.
        method: The classifier.
        settings: ``max_rows``, ``nystroem`` and ``components`` make it smaller.
        every_fold: Whether the pairs of all folds are kept, or one fold's at a time.
    """
    kind, fit = kind_of(method, settings), _fitted(load, settings)
    wide = _columns(load, kind, fit, settings)
    both = fit + load.test
    # The standardised copy, and what the scaler computes on the side.
    making = 4 * load.width * (both + 2 * fit) + 3 * 8 * BLOCK * max(load.width, BLOCK)
    if settings.components is not None:
        making += 4 * load.width * fit + 8 * load.width**2
    if kind is Kind.coordinates and load.width > fit:
        making += 3 * 4 * load.width * fit
    using = (12 if load.gaps else 8) * both * wide
    if kind is Kind.landmarks:
        # The features beside the kernel, and LibLinear's copy with an index for each value.
        using += 8 * both * wide + 16 * fit * wide
    elif method is Method.knn:
        using += 8 * load.test * wide
    elif method in (Method.svm_rbf, Method.svm_linear):
        using += min(CACHE, 4 * fit * fit)
    folds = load.folds if every_fold else 1
    return (
        4 * load.rows * load.width
        + folds * bytes_of_pairs(load, method, settings)
        + max(making, using)
    )


def keeps_every_fold(load: Load, method: Method, settings: ProbeSettings) -> bool:
    """Whether all folds' pairs fit into ``probe.memory`` together."""
    return bytes_needed(load, method, settings, every_fold=True) <= settings.memory * GIGABYTE


def check_memory(load: Load, method: Method, settings: ProbeSettings) -> None:
    """Refuse what does not fit, before any work.

    Raises:
        UserError: If one fold alone exceeds ``probe.memory``; it offers a number of rows and, for
            the RBF kernel, of Nyström features that do not.
    """
    needed = bytes_needed(load, method, settings)
    if needed <= settings.memory * GIGABYTE:
        return
    remedies = []
    rows = _largest(lambda count: replace(settings, max_rows=count), ROUND, load, method, settings)
    if rows:
        remedies.append(f"probe.max_rows={rows} (a stratified draw)")
    if method is Method.svm_rbf:
        features = _largest(
            lambda count: replace(settings, nystroem=count), 10, load, method, settings
        )
        if features:
            remedies.append(f"probe.nystroem={min(features, LANDMARKS)} (an approximate kernel)")
    remedies.append(f"probe.memory={math.ceil(needed / GIGABYTE)}")
    raise UserError(
        f"probe.memory={settings.memory:g}: fitting {_fitted(load, settings):,} vectors of "
        f"{load.width:,} values takes {needed / GIGABYTE:.1f} GB; give {' or '.join(remedies)}"
    )


def _largest(
    with_count: Callable[[int], ProbeSettings],
    step: int,
    load: Load,
    method: Method,
    settings: ProbeSettings,
) -> int:
    """The largest multiple of a step below the rows to fit that stays in memory, or 0."""

    def fits(count: int) -> bool:
        return bytes_needed(load, method, with_count(count)) <= settings.memory * GIGABYTE

    low, high = 0, _fitted(load, settings) // step
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * step) else (low, middle - 1)
    return low * step


def _fitted(load: Load, settings: ProbeSettings) -> int:
    return min(load.fit, settings.max_rows or load.fit)


def _columns(load: Load, kind: Kind, fit: int, settings: ProbeSettings) -> int:
    if kind is Kind.coordinates:
        return min(fit, settings.components or load.width)
    return min(fit, settings.nystroem or fit) if kind is Kind.landmarks else fit
