"""Divisions are complete, disjoint, repeatable and as stratified as they say."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from fer_lightning.data.corpora.base import SplitConfig, SplitScheme
from fer_lightning.data.splits import Division, divide
from fer_lightning.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:The least populated class")
EMOTIONS: list[str | None] = ["anger"] * 700 + ["fear"] * 200 + ["disgust"] * 97 + [None] * 3
SUBJECTS: list[str | None] = [f"S{i * 7 % 41}" for i in range(1000)]
OFFICIAL: list[str | None] = (["train"] * 8 + ["val", "test"]) * 100


def divided(**settings: object) -> Division:
    config = SplitConfig(**{"scheme": SplitScheme.stratified} | settings)  # type: ignore[arg-type]
    return divide(config, EMOTIONS, OFFICIAL, SUBJECTS)


@pytest.mark.parametrize("scheme", SplitScheme)
def test_every_row_is_in_one_part(scheme: SplitScheme) -> None:
    parts = divided(scheme=scheme)
    assert list(parts) == ["train", "val", "test"]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(1000))


DRAWN = [s for s in SplitScheme if s not in (SplitScheme.auto, SplitScheme.official)]


def test_auto_is_official_where_there_is_one() -> None:
    config = SplitConfig()
    official = divide(config, EMOTIONS, OFFICIAL, SUBJECTS)
    assert all(OFFICIAL[i] == part for part, rows in official.items() for i in rows)
    stratified = divide(config, EMOTIONS, [None] * 1000, SUBJECTS)
    assert all(np.array_equal(stratified[part], rows) for part, rows in divided().items())


@pytest.mark.parametrize("scheme", [SplitScheme.auto, SplitScheme.official])
def test_an_official_split_without_train_is_one_to_measure_by(scheme: SplitScheme) -> None:
    config, tested = SplitConfig(scheme=scheme), ["test", "test", *[None] * 998]
    parts = divide(config, EMOTIONS, tested, SUBJECTS, training=False)
    assert {part: rows.tolist() for part, rows in parts.items()} == {
        "train": [], "val": [], "test": [0, 1],
    }  # fmt: skip
    with pytest.raises(UserError, match=rf"{scheme.name}: .* no train images \(2 test\)"):
        divide(config, EMOTIONS, tested, SUBJECTS)


@pytest.mark.parametrize("scheme", DRAWN)
def test_the_seed_decides(scheme: SplitScheme) -> None:
    one, same, other = (divided(scheme=scheme, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(one[part], same[part]) for part in one)
    assert not np.array_equal(one["test"], other["test"])


def test_stratified_is_80_10_10_in_every_class() -> None:
    parts = divided()
    counts = {part: Counter(EMOTIONS[i] for i in rows) for part, rows in parts.items()}
    assert (counts["train"]["anger"], counts["val"]["anger"]) == (560, 70)
    assert counts["test"] == {"anger": 70, "fear": 20, "disgust": 10}


def test_official_is_the_corpus_own() -> None:
    parts = divided(scheme=SplitScheme.official)
    assert all(OFFICIAL[i] == part for part, rows in parts.items() for i in rows)


def test_official_without_val_takes_it_from_train() -> None:
    official = ["test" if s == "test" else "train" for s in OFFICIAL]
    config = SplitConfig(scheme=SplitScheme.official)
    parts = divide(config, EMOTIONS, official, SUBJECTS)
    assert (len(parts["train"]), len(parts["val"]), len(parts["test"])) == (810, 90, 100)


@pytest.mark.parametrize("scheme", [SplitScheme.subject, SplitScheme.subject_kfold])
def test_no_person_is_in_two_parts(scheme: SplitScheme) -> None:
    people = [{SUBJECTS[i] for i in rows} for rows in divided(scheme=scheme).values()]
    assert all(people)
    assert sum(map(len, people)) == 41


@pytest.mark.parametrize("seed", range(20))
def test_ten_people_can_be_divided(seed: int) -> None:
    subjects: list[str | None] = [f"S{i % 10}" for i in range(213)]  # as many as JAFFE has
    config = SplitConfig(scheme=SplitScheme.subject, seed=seed)
    parts = divide(config, EMOTIONS[:213], OFFICIAL[:213], subjects)
    assert [len({subjects[i] for i in rows}) for rows in parts.values()] == [8, 1, 1]
    without = SplitConfig(scheme=SplitScheme.subject, seed=seed, test=0)
    assert len(divide(without, EMOTIONS[:213], OFFICIAL[:213], subjects)["test"]) == 0


@pytest.mark.parametrize("scheme", [SplitScheme.kfold, SplitScheme.subject_kfold])
def test_each_row_is_tested_by_one_fold(scheme: SplitScheme) -> None:
    tests = [divided(scheme=scheme, folds=5, fold=k)["test"] for k in range(5)]
    assert sorted(np.concatenate(tests)) == list(range(1000))


@pytest.mark.parametrize(
    ("scheme", "splits", "subjects", "message"),
    [
        (SplitScheme.official, [None] * 1000, SUBJECTS, "no official split"),
        (SplitScheme.subject, OFFICIAL, [None, *SUBJECTS[1:]], "1 of 1,000 are unknown"),
        (SplitScheme.subject, OFFICIAL, ["S"] * 1000, "1 people are too few for 3 parts"),
        (SplitScheme.subject_kfold, OFFICIAL, ["S"] * 1000, "only 1 groups"),
    ],
)
def test_what_is_lacking_is_named(
    scheme: SplitScheme, splits: list[str | None], subjects: list[str | None], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        divide(SplitConfig(scheme=scheme), EMOTIONS, splits, subjects)


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"val": 0.6, "test": 0.5}, "val"), ({"folds": 2}, "folds"), ({"fold": 10}, "fold")],
)
def test_impossible_numbers_name_their_key(settings: dict[str, float], key: str) -> None:
    with pytest.raises(UserError, match=rf"data\.split\.{key}"):
        SplitConfig(**settings)  # type: ignore[arg-type]


SOURCES: list[str | None] = ["a", "b"] * 500


def test_a_part_without_a_published_split_is_stratified_beside_one_that_has_it() -> None:
    splits = [
        split if source == "a" else None for split, source in zip(OFFICIAL, SOURCES, strict=True)
    ]
    parts = divide(SplitConfig(), EMOTIONS, splits, SUBJECTS, sources=SOURCES)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(1000))
    own = {name: [row for row in rows if SOURCES[row] == "b"] for name, rows in parts.items()}
    assert [len(rows) for rows in own.values()] == pytest.approx([400, 50, 50], abs=2)
    assert all(splits[row] == name for name in parts for row in parts[name] if row not in own[name])
    with pytest.raises(
        UserError, match=r"scheme=official: the part b has no official split; .*scheme=auto"
    ):
        divide(
            SplitConfig(scheme=SplitScheme.official), EMOTIONS, splits, SUBJECTS, sources=SOURCES
        )


def test_images_that_a_published_split_leaves_out_stay_out() -> None:
    splits: list[str | None] = [*OFFICIAL[:500], *[None] * 500]
    parts = divide(SplitConfig(), EMOTIONS, splits, SUBJECTS)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(500))
