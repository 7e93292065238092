"""Folds keep classes even and people apart, and say when they cannot."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from fer_lightning.errors import UserError
from fer_lightning.probe.folds import grouped_folds, random_folds, strata, stratified_draw

LABELS = np.arange(120) % 4
SUBJECTS = np.array([f"S{number // 6}" for number in range(120)])


def test_random_folds_hold_every_class_evenly() -> None:
    folds = random_folds(LABELS, 10, seed=0)
    for number in range(10):
        counts = np.bincount(LABELS[folds == number], minlength=4)
        assert counts.min() == counts.max() == 3


def test_grouped_folds_keep_a_person_together() -> None:
    folds = grouped_folds(LABELS, SUBJECTS, 10, seed=0)
    assert sorted(np.unique(folds)) == list(range(10))
    for person in np.unique(SUBJECTS):
        assert len(np.unique(folds[person == SUBJECTS])) == 1


def test_the_seed_draws_the_folds() -> None:
    assert (random_folds(LABELS, 5, 1) == random_folds(LABELS, 5, 1)).all()
    assert (random_folds(LABELS, 5, 1) != random_folds(LABELS, 5, 2)).any()
    first, same, other = (grouped_folds(LABELS, SUBJECTS, 5, seed) for seed in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()


def test_a_rare_class_is_spread_without_a_warning() -> None:
    labels = np.array([0] * 30 + [1] * 3 + [2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = random_folds(labels, 10, seed=0)
        grouped_folds(labels, np.arange(34).astype(str), 10, seed=0)
    assert len(np.unique(folds[labels == 1])) == 3


def test_too_little_for_the_folds_is_named_by_its_key() -> None:
    few = np.arange(12) % 6
    with pytest.raises(UserError, match=r"^probe\.folds=20: there are only 12 images"):
        random_folds(few, 20, 0)
    with pytest.raises(UserError, match=r"^probe\.inner_folds=5: no class has more than 2"):
        random_folds(few, 5, 0, "probe.inner_folds")
    with pytest.raises(UserError, match=r"^probe\.folds=4: there are only 3 people"):
        grouped_folds(LABELS, np.repeat(["a", "b", "c"], 40), 4, 0)
    with pytest.raises(UserError, match="20 of 120 are unknown"):
        grouped_folds(LABELS, np.where(np.arange(120) < 20, "", SUBJECTS), 4, 0)


def test_few_people_of_unequal_numbers_still_fill_every_fold() -> None:
    people = np.repeat(np.arange(4), [28, 46, 23, 55])  # stratified, they fill three of four folds
    folds = grouped_folds(people % 2, people.astype(str), 4, 0)
    assert len({(person, fold) for person, fold in zip(people, folds, strict=True)}) == 4
    assert len(np.unique(folds)) == 4


def test_the_same_units_are_one_stratum_and_rare_ones_are_put_together() -> None:
    present = np.array([[0, 1]] * 3 + [[1, 1]] * 4 + [[1, 0], [-1, 0]])
    found = strata(present, 3)
    assert len(set(found[:3])) == len(set(found[3:7])) == 1
    assert found[7] == found[8]
    assert len(np.unique(found)) == 3
    assert len(np.unique(strata(present, 1))) == 4


def test_a_draw_keeps_the_shares() -> None:
    labels = np.array([0] * 600 + [1] * 300 + [2] * 100)
    drawn = stratified_draw(labels, 100, seed=3)
    assert np.abs(np.bincount(labels[drawn]) - [60, 30, 10]).max() <= 1
    assert len(np.unique(drawn)) == 100
    assert (drawn == stratified_draw(labels, 100, seed=3)).all()
    assert (stratified_draw(labels, 5_000, seed=3) == np.arange(1_000)).all()
