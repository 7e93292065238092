"""Curves keep what was measured, and meet where seeds were logged elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_lightning.analysis.html import curves
from fer_lightning.analysis.html.curves import curves_of, on_one_grid, read_curves
from fer_lightning.analysis.html.lines import Line, Member
from fer_lightning.errors import UserError


def log(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "metrics.csv").write_text(text)
    return folder


def line(*folders: Path) -> Line:
    members = (Member(seed=s, images_seen=9, folder=f) for s, f in enumerate(folders))
    return Line(name="a", members=tuple(members))


def test_points_that_stay_are_measured_ones() -> None:
    x = np.arange(1000.0)
    grid, (thin,) = on_one_grid([(x, x**2)], 7)
    assert len(grid) == 7
    assert (grid[0], grid[-1]) == (0, 999)
    assert np.array_equal(thin, grid**2)


def test_seeds_logged_elsewhere_are_interpolated_where_both_are() -> None:
    first = (np.array([0.0, 10, 20]), np.array([0.0, 1, 2]))
    second = (np.array([5.0, 15, 40]), np.array([5.0, 15, 40]))
    grid, values = on_one_grid([first, second], 4)
    assert grid.tolist() == [5, 10, 15, 20]
    assert np.allclose(values, [[0.5, 1, 1.5, 2], [5, 10, 15, 20]])


def test_nothing_is_made_up_beyond_a_curve_or_from_what_is_not_finite() -> None:
    first = (np.array([1.0, 5, 9]), np.array([1.0, np.nan, 9]))
    grid, values = on_one_grid([first, (np.array([1.0, 3, 9]), np.array([1.0, 3, 9]))], 120)
    assert grid.tolist() == [1, 3, 5, 9]
    assert np.array_equal(values, [[1, np.nan, np.nan, 9], [1, 3, 5, 9]], equal_nan=True)
    grid, values = on_one_grid([(grid, grid), (grid + 20, grid)], 120)
    assert grid.tolist() == [21]
    assert np.array_equal(values, [[np.nan], [1]], equal_nan=True)


def test_seeds_that_end_alike_and_were_logged_elsewhere_are_said_to_be_interpolated(
    tmp_path: Path,
) -> None:
    one = log(tmp_path / "a", "images_seen,loss\n1,1\n5,5\n9,9\n")
    other = log(tmp_path / "b", "images_seen,loss\n1,1\n3,3\n9,9\n")
    assert curves_of([line(one, other)])["interpolated"]
    assert not curves_of([line(one), line(other)])["interpolated"]


def test_columns_of_a_log(tmp_path: Path) -> None:
    run = log(tmp_path / "r", "images_seen,loss,epoch,acc\n2,0.5,1,\n4,nan,2,0.25\n6,0.")
    found = read_curves(run / "metrics.csv")
    assert list(found) == ["loss", "acc"]
    assert found["acc"][0].tolist() == [4]
    assert read_curves(tmp_path / "nothing.csv") == {}
    plain = curves_of([line(run)])
    assert plain["columns"] == ["loss", "acc"]
    assert plain["curves"] == [{0: [0, [0], [[0.5, None]]], 1: [1, [0], [[0.25]]]}]
    assert plain["grids"] == [[2, 4], [4]]
    assert not plain["thinned"]
    assert not plain["interpolated"]


def test_many_curves_have_fewer_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(100))
    runs = [log(tmp_path / f"{n}", f"images_seen,loss\n{rows}") for n in range(2)]
    monkeypatch.setattr(curves, "IN_ALL", 80)
    plain = curves_of([line(*runs), line(log(tmp_path / "c", "images_seen,loss\n1,2\n"))])
    assert plain["points"] == 26
    assert [len(values) for values in plain["curves"][0][0][2]] == [26, 26]
    assert plain["thinned"]


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    run = log(tmp_path / "r", "images_seen,loss\n2,good\n")
    with pytest.raises(UserError, match=r"metrics\.csv is damaged"):
        read_curves(run / "metrics.csv")
