"""What classifiers of one fold are fitted from: distances, products or coordinates, made once."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError

BLOCK = 2048
"""Rows of either side that are multiplied at once, in float64."""


class Kind(enum.Enum):
    """What stands in a matrix of pairs."""

    distances = "distances"
    products = "products"
    coordinates = "coordinates"
    landmarks = "landmarks"


def kind_of(method: Method, settings: ProbeSettings) -> Kind:
    """What a classifier needs.

    Raises:
        UserError: If Nyström features are asked for without the RBF kernel.
    """
    if settings.nystroem is not None:
        if method is not Method.svm_rbf:
            raise UserError(
                f"probe.nystroem={settings.nystroem} approximates the RBF kernel; leave it out, or "
                "give probe.classifier=svm_rbf"
            )
        return Kind.landmarks
    return {
        Method.svm_rbf: Kind.distances,
        Method.knn: Kind.distances,
        Method.svm_linear: Kind.products,
        Method.logistic: Kind.coordinates,
    }[method]


@dataclass(frozen=True)
class Pairs:
    """The rows to fit and to test, as a classifier sees them.

    Attributes:
        kind: ``distances``: squared, to the rows to fit; ``landmarks``: squared, to m of them;
            ``products``: scalar, with the rows to fit; ``coordinates``: of the vectors themselves.
        fit: float32 (n, m); m = n for distances and products.
        test: float32 (t, m).
        width: Standardised features of a vector, before any principal components.
        basis: float32 (m, m), among the landmarks; None for other kinds.
    """

    kind: Kind
    fit: NDArray[np.float32]
    test: NDArray[np.float32]
    width: int
    basis: NDArray[np.float32] | None = None

    def of(self, known: NDArray[np.bool_]) -> Pairs:
        """The same without some of the rows to fit, (n,)."""
        if known.all():
            return self
        if self.kind in (Kind.coordinates, Kind.landmarks):
            return replace(self, fit=self.fit[known])
        return replace(self, fit=self.fit[np.ix_(known, known)], test=self.test[:, known])


def prepared(
    fit: NDArray[np.float32],
    test: NDArray[np.float32],
    kind: Kind,
    settings: ProbeSettings,
) -> Pairs:
    """Standardise, project and compare.

    Mean, deviation and principal components are those of the rows to fit alone. Products are
    summed in float64 and stored as float32, whose rounding (6e-8 of a distance) changes a kernel
    value exp(-gamma * distance) by 6e-8 * gamma * distance of itself: under 1e-6 wherever the
    value is not 0 anyway.

    Args:
        fit: (n, d); overwritten.
        test: (t, d); overwritten.
        kind: What to make of them.
        settings: Components, landmarks and seed.

    Raises:
        UserError: If there are more components than rows or features.
    """
    width = fit.shape[1]
    fit, test = _standardised(fit, test, settings)
    if kind is Kind.coordinates:
        return Pairs(kind, *_rotated(fit, test), width)
    if kind is Kind.products:
        return Pairs(kind, products(fit, fit), products(test, fit), width)
    if kind is Kind.distances:
        own = squared_distances(fit, fit)
        np.fill_diagonal(own, 0)
        return Pairs(kind, own, squared_distances(test, fit), width)
    count = min(settings.nystroem or len(fit), len(fit))
    random = np.random.default_rng(settings.seed)
    marks = np.sort(random.permutation(len(fit))[:count])
    own = squared_distances(fit, fit[marks])
    own[marks, np.arange(count)] = 0
    return Pairs(kind, own, squared_distances(test, fit[marks]), width, own[marks])


def squared_distances(
    rows: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Squared Euclidean distances, at least 0.

    Args:
        rows: (n, d).
        others: (m, d).

    Returns:
        float32 (n, m).
    """
    return _compared(rows, others, squared=True)


def products(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scalar products of (n, d) and (m, d): float32 (n, m)."""
    return _compared(rows, others, squared=False)


def _compared(
    rows: NDArray[np.float32], others: NDArray[np.float32], squared: bool
) -> NDArray[np.float32]:
    found = np.empty((len(rows), len(others)), np.float32)
    for top in range(0, len(rows), BLOCK):
        upper = rows[top : top + BLOCK].astype(np.float64)
        for left in range(0, len(others), BLOCK):
            lower = others[left : left + BLOCK].astype(np.float64)
            values = upper @ lower.T
            if squared:
                # |a - b|^2 = |a|^2 + |b|^2 - 2ab, whose cancellation is why this is float64.
                values *= -2
                values += np.einsum("ij,ij->i", upper, upper)[:, None]
                values += np.einsum("ij,ij->i", lower, lower)
                np.maximum(values, 0, out=values)
            found[top : top + BLOCK, left : left + BLOCK] = values
    return found


def _standardised(
    fit: NDArray[np.float32], test: NDArray[np.float32], settings: ProbeSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler(copy=False)
    fit, test = scaler.fit_transform(fit), scaler.transform(test)
    if settings.components is None:
        return fit, test
    if settings.components > min(fit.shape):
        raise UserError(
            f"probe.components={settings.components}: a fold fits {len(fit):,} rows of "
            f"{fit.shape[1]:,} features; give at most {min(fit.shape):,}"
        )
    axes = PCA(settings.components, random_state=settings.seed)
    return axes.fit_transform(fit), axes.transform(test)


def _rotated(
    fit: NDArray[np.float32], test: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """At most n coordinates for n rows to fit.

    A linear classifier with a penalty on its squared weights finds them in the span of the rows
    it is fitted to, so coordinates along that span give the same one, and sooner.
    """
    if fit.shape[1] <= len(fit):
        return fit, test
    span, coordinates = np.linalg.qr(fit.T)
    return np.ascontiguousarray(coordinates.T), test @ span
