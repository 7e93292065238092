"""Matrices of pairs are what the standardised vectors give."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError
from fer_lightning.probe import distances
from fer_lightning.probe.distances import Kind, kind_of, prepared, products, squared_distances

Vectors = NDArray[np.float32]


def _vectors(rows: int, width: int, seed: int = 0) -> Vectors:
    random = np.random.default_rng(seed)
    return (3 + 2 * random.standard_normal((rows, width))).astype(np.float32)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = _vectors(23, 6), _vectors(17, 6, seed=1)
    monkeypatch.setattr(distances, "BLOCK", 5)
    exact = ((left[:, None].astype(np.float64) - right) ** 2).sum(-1)
    assert squared_distances(left, right) == pytest.approx(exact, rel=1e-6)
    assert products(left, right) == pytest.approx(left.astype(np.float64) @ right.T, rel=1e-6)


def test_near_duplicates_do_not_drown_in_rounding() -> None:
    base = _vectors(1, 8192)
    near = base.copy()
    near[0, 0] += 0.01
    step = float(near[0, 0] - base[0, 0])
    assert squared_distances(base, near)[0, 0] == pytest.approx(step**2, rel=1e-2)
    assert squared_distances(base, base)[0, 0] == pytest.approx(0, abs=1e-6)


def test_mean_and_deviation_are_those_of_the_rows_to_fit_alone() -> None:
    fit, test = _vectors(30, 4), 50 * _vectors(6, 4, seed=1)
    pairs = prepared(fit.copy(), test.copy(), Kind.distances, ProbeSettings())
    mean, deviation = fit.mean(0), fit.std(0)
    own, other = (fit - mean) / deviation, (test - mean) / deviation
    assert pairs.fit == pytest.approx(((own[:, None] - own) ** 2).sum(-1), abs=1e-4)
    assert pairs.test == pytest.approx(((other[:, None] - own) ** 2).sum(-1), rel=1e-4)
    assert (pairs.fit.diagonal() == 0).all()
    changed = prepared(fit.copy(), -test, Kind.distances, ProbeSettings())
    assert (changed.fit == pairs.fit).all()


def test_a_feature_without_spread_counts_for_nothing() -> None:
    fit, test = _vectors(20, 3), _vectors(5, 3, seed=1)
    flat = [np.hstack([part, np.ones((len(part), 1), np.float32)]) for part in (fit, test)]
    without = prepared(fit, test, Kind.products, ProbeSettings())
    assert prepared(flat[0], flat[1], Kind.products, ProbeSettings()).test == pytest.approx(
        without.test, abs=1e-5
    )


def test_principal_components_are_as_many_as_asked_for() -> None:
    settings = ProbeSettings(components=2)
    pairs = prepared(_vectors(30, 8), _vectors(6, 8, 1), Kind.products, settings)
    assert np.linalg.matrix_rank(pairs.fit, tol=1e-2) == 2
    assert pairs.width == 8
    with pytest.raises(UserError, match=r"^probe\.components=9: .* give at most 8"):
        prepared(_vectors(30, 8), _vectors(6, 8, 1), Kind.products, ProbeSettings(components=9))


def test_rotated_coordinates_keep_every_product() -> None:
    fit, test = _vectors(12, 50), _vectors(5, 50, seed=1)
    shown = prepared(fit.copy(), test.copy(), Kind.coordinates, ProbeSettings())
    exact = prepared(fit, test, Kind.products, ProbeSettings())
    assert shown.fit.shape == (12, 12)
    assert shown.fit @ shown.fit.T == pytest.approx(exact.fit, abs=1e-3)
    assert shown.test @ shown.fit.T == pytest.approx(exact.test, abs=1e-3)


def test_landmarks_are_columns_of_the_distances() -> None:
    fit, test = _vectors(20, 6), _vectors(5, 6, seed=1)
    whole = prepared(fit.copy(), test.copy(), Kind.distances, ProbeSettings())
    some = prepared(fit.copy(), test.copy(), Kind.landmarks, ProbeSettings(nystroem=7))
    columns = [int(np.abs(whole.test - column[:, None]).sum(0).argmin()) for column in some.test.T]
    assert len(set(columns)) == 7
    assert some.fit == pytest.approx(whole.fit[:, columns], rel=1e-5)
    assert some.basis is not None
    assert (some.basis.diagonal() == 0).all()
    assert some.basis == pytest.approx(whole.fit[np.ix_(columns, columns)], rel=1e-5)
    assert prepared(fit, test, Kind.landmarks, ProbeSettings(nystroem=99)).fit.shape == (20, 20)


@pytest.mark.parametrize("kind", list(Kind))
def test_rows_that_are_left_out_are_gone(kind: Kind) -> None:
    pairs = prepared(_vectors(12, 5), _vectors(4, 5, 1), kind, ProbeSettings(nystroem=6))
    known = np.arange(12) % 3 > 0
    some = pairs.of(known)
    square = kind in (Kind.distances, Kind.products)
    assert (some.fit == (pairs.fit[known][:, known] if square else pairs.fit[known])).all()
    assert (some.test == (pairs.test[:, known] if square else pairs.test)).all()
    assert pairs.of(np.full(12, True)) is pairs


def test_landmarks_belong_to_the_rbf_kernel() -> None:
    settings = ProbeSettings(nystroem=10)
    assert kind_of(Method.svm_rbf, settings) is Kind.landmarks
    with pytest.raises(UserError, match=r"^probe\.nystroem=10"):
        kind_of(Method.svm_linear, settings)
