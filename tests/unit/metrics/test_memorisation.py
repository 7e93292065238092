"""Copies are found, also where the yardstick itself holds copies."""

from __future__ import annotations

import torch

from fer_lightning.metrics.memorisation import Nearest, Pairs, memorisation, nearest_sheet


def at(*distances: float) -> Nearest:
    return Nearest(torch.tensor(distances, dtype=torch.float64), torch.zeros(len(distances)).long())


def test_distances_are_root_mean_squares() -> None:
    trained = torch.zeros((3, 16))
    trained[1] = 1
    found = Nearest.of(torch.full((1, 16), 0.75), trained)
    assert found.distances.tolist() == [0.25]
    assert found.indices.tolist() == [1]


def test_copies_are_those_nearer_than_real_images_come() -> None:
    found = memorisation(at(0, 0.05, 0.2, 0.3), at(0.1, 0.2, 0.4))
    assert found["copied_pixels"] == 0.5
    assert found["nearest_train_pixels_real"] == 0.2
    assert found["copied_pixels_real"] == 1 / 3  # the nearest one makes the bound


def test_copies_among_the_held_out_images_do_not_hide_others() -> None:
    found = memorisation(at(0, 0.05, 0.2, 0.3), at(0, 0, 0.1, 0.2, 0.4))
    assert found["copied_pixels"] == 0.5
    assert found["copied_pixels_real"] == 0.6
    assert memorisation(at(0, 0.05), at(0, 0))["copied_pixels"] == 0.5


def test_without_a_yardstick_nothing_is_called_a_copy() -> None:
    assert memorisation(at(0, 0.2, 0.3), None).keys() == {"nearest_train_pixels"}


def test_the_sheet_has_pairs_of_rows() -> None:
    faces = torch.zeros((12, 16, 16, 1), dtype=torch.uint8).numpy()
    sheet = nearest_sheet([Pairs("generated", faces, faces), Pairs("real", faces[:3], faces[:3])])
    assert sheet.height == 6 * 66 + 2
