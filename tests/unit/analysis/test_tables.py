"""Configurations are told apart by what differs, and only by that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fer_lightning.analysis.files import Source
from fer_lightning.analysis.records import Record
from fer_lightning.analysis.tables import (
    choose_metrics,
    csv_rows,
    differing_keys,
    group,
    sort_by_arm,
)
from fer_lightning.errors import UserError


def record(
    seed: int,
    config: Mapping[str, Any],
    images_seen: int = 100,
    axes: Mapping[str, Any] | None = None,
    **metrics: float,
) -> Record:
    source = Source(
        path=Path(f"r{seed}"), job="train", seconds=1, device="cpu", threads=1, commit="c"
    )
    return Record(
        config=config,
        axes=axes or {},
        seed=seed,
        metrics=metrics,
        images_seen=images_seen,
        seconds=10.0,
        sources=(source,),
    )


def names(records: list[Record]) -> list[str]:
    return [g.name for g in group(records, differing_keys(records))]


def test_seeds_of_one_configuration_are_one_group() -> None:
    records = [record(s, {"a.b": b, "same": 1}) for b in (1, 2) for s in (1, 0)]
    assert differing_keys(records) == ["a.b"]
    groups = group(records, ["a.b"])
    assert [(g.name, g.seeds) for g in groups] == [("b=1", [0, 1]), ("b=2", [0, 1])]


def test_a_key_that_only_some_have_differs() -> None:
    records = [record(0, {"x": 1}), record(0, {"x": 1, "y": None})]
    assert differing_keys(records) == ["y"]
    assert names(records) == ["no y", "y=null"]
    assert [row["y"] for row in csv_rows(group(records, ["y"]), ["y"], [])] == ["", "null"]


def test_one_and_true_and_text_are_three_values() -> None:
    assert len(names([record(0, {"x": x}) for x in (1, True, "one", [1])])) == 4


def test_many_differences_are_called_by_letters() -> None:
    records = [record(0, {f"key.{i}": f"{v}{i}" for i in range(9)}) for v in "xyz"]
    assert names(records) == ["A", "B", "C"]


def test_axes_name_what_also_differs_elsewhere() -> None:
    records = [
        record(0, {"model": m, "model.name": m, "model.depth": i}, axes={"model": m})
        for i, m in enumerate(("cgan", "dcgan"))
    ]
    assert names(records) == ["model=cgan", "model=dcgan"]


def test_archives_of_a_study_count_only_where_nothing_else_tells_apart() -> None:
    axes = {"x": 1}
    by_seed = [record(s, {"x": 1, "archives": f"k{s}"}, axes=axes) for s in (0, 1)]
    assert differing_keys(by_seed) == []
    twins = [record(0, {"x": 1, "archives": f"k{s}"}, axes=axes) for s in (0, 1)]
    assert differing_keys(twins) == ["archives"]
    outside = [record(s, {"x": 1, "archives": f"k{s}"}) for s in (0, 1)]
    assert differing_keys(outside) == ["archives"]


def test_lengths_tell_apart_what_else_is_the_same() -> None:
    assert names([record(0, {}, images_seen=n) for n in (10, 20)]) == [
        "images_seen=10", "images_seen=20"
    ]  # fmt: skip
    assert differing_keys([record(s, {}, images_seen=10 + s) for s in (0, 1)]) == []
    with pytest.raises(UserError, match="the same experiment with the same seed"):
        differing_keys([record(0, {}), record(0, {})])


def test_metrics_are_chosen_in_order_with_their_forms() -> None:
    measured = {"fid[val]": 1.0, "fid[test]": 2.0, "kid": 3.0, "epoch_g_loss": 1.0}
    records = [record(0, {}, **measured)]
    assert choose_metrics(records, ["kid", "fid"]) == (["kid", "fid[val]", "fid[test]"], [])
    assert choose_metrics(records, []) == (list(measured), [])
    with pytest.raises(UserError, match="has measured kdi; did you mean kid"):
        choose_metrics(records, ["kdi"])
    wanted = ["epoch_g_loss@9", "fed"]
    assert choose_metrics(records, wanted, strict=False) == (wanted, wanted)
    assert choose_metrics(records, wanted[:1])[1] == wanted[:1]


def test_a_row_holds_what_was_measured() -> None:
    records = [record(0, {"x": 1}, 90, fid=1.0), record(1, {"x": 1}, 95, fid=3.0, kid=5.0)]
    (row,) = csv_rows(group(records, []), [], ["fid", "kid", "fed"])
    assert (row["seeds"], row["images_seen"], row["images_seen_max"]) == ("0 1", 90, 95)
    assert row["fid_mean"] == 2.0
    assert row["fid_sd"] == pytest.approx(2**0.5)
    assert row["fid_low"] < 2.0 < row["fid_high"]
    assert (row["kid_mean"], row["kid_sd"], row["kid_n"]) == (5.0, None, 1)
    assert (row["fed_mean"], row["fed_n"]) == (None, 0)


def test_arms_are_called_by_their_names() -> None:
    def made(arm: str, seed: int, **axes: Any) -> Record:
        everything = {"arm": arm, **axes}
        config = {"data.extra": f"{arm}{seed}", "archives": f"{arm}{seed}"}
        return record(seed, config | everything, axes=everything)

    long = "an_arm_whose_name_is_longer_than_forty_letters"
    records = [made(arm, seed) for arm in (long, "real") for seed in (0, 1)]
    assert differing_keys(records) == ["arm"]
    groups = sort_by_arm(group(records, ["arm"]), ["real", long])
    assert [(g.name, g.seeds) for g in groups] == [("real", [0, 1]), (long, [0, 1])]
    assert [row["arm"] for row in csv_rows(groups, ["arm"], [])] == ["real", long]
    assert names(records[:2]) == [long]
    tested = [made(arm, 0, split=split) for arm in ("a", "b") for split in ("val", "test")]
    assert names(tested) == ["a, split=val", "a, split=test", "b, split=val", "b, split=test"]


def test_a_star_stands_for_all_classes() -> None:
    measured = {"recall/fear[val]": 1.0, "recall/fear[test]": 2.0, "recall/anger": 3.0}
    records = [record(0, {}, recall=0.0, **measured)]
    wanted = ["recall/*", "recall"]
    assert choose_metrics(records, wanted) == ([*measured, "recall"], [])
    assert choose_metrics(records, ["f1/*"], strict=False) == (["f1/*"], ["f1/*"])
    with pytest.raises(UserError, match="no run has measured f1/"):
        choose_metrics(records, ["f1/*"])
