"""Pairs are of one seed, and equal in all but the baseline's keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_lightning.analysis.differences import differences, parse_baseline
from fer_lightning.analysis.records import Record
from fer_lightning.analysis.tables import Group, same_length
from fer_lightning.errors import UserError


def make(values: dict[str, object], scores: dict[int, float]) -> Group:
    records = tuple(
        Record(config=values, seed=s, metrics={"fid": v}, images_seen=1, seconds=1, sources=())
        for s, v in scores.items()
    )
    return Group(name=str(values), values=values, records=records)


def test_the_verdict_is_over_pairs() -> None:
    far_apart = {0: 1.0, 1: 10.0, 2: 100.0}
    base = make({"x": 0}, far_apart)
    better = make({"x": 1}, {s: v - 0.5 - 0.01 * s for s, v in far_apart.items()})
    vague = make({"x": 2}, {0: 2.0, 1: 9.0, 2: 100.0})
    lower, undecided = differences([base, better, vague], {"x": 0}, ["x"], ["fid"])
    assert lower.result.verdict == "lower"
    assert lower.result.summary.mean == pytest.approx(-0.51)
    assert undecided.result.verdict == "not decided at this size"


def test_a_seed_of_one_arm_is_left_out_and_said() -> None:
    base, other = make({"x": 0}, {0: 1.0, 1: 2.0}), make({"x": 1}, {1: 3.0, 2: 9.0})
    (one,) = differences([base, other], {"x": 0}, ["x"], ["fid", "kid"])
    assert (one.result.summary.n, one.result.summary.mean) == (1, 1.0)
    assert one.unpaired == (0, 2)
    assert one.result.verdict == "not decided at this size"


def test_other_axes_are_held() -> None:
    groups = [make({"x": x, "y": y}, {0: 10.0 * x + y}) for x in (0, 1) for y in (0, 5)]
    found = differences(groups, {"x": 0}, ["x", "y"], ["fid"])
    assert [(d.group.values["y"], d.baseline.values["y"]) for d in found] == [(0, 0), (5, 5)]
    assert [d.result.summary.mean for d in found] == [10.0, 10.0]
    assert len(differences(groups, {"x": 0, "y": 0}, ["x", "y"], ["fid"])) == 3


def test_unequal_lengths_are_no_pair_for_a_verdict() -> None:
    base, other = (make({"x": x}, {0: 1.0 + x, 1: 2.0 + x + x / 100}) for x in (0, 1))
    (alike,) = differences([base, other], {"x": 0}, ["x"], ["fid"])
    assert (alike.verdict, alike.unequal) == ("higher", ())
    longer = replace(other, records=tuple(replace(r, images_seen=2) for r in other.records))
    (one,) = differences([base, longer], {"x": 0}, ["x"], ["fid"])
    assert (one.verdict, one.unequal) == ("different lengths", (0, 1))


def test_a_part_of_a_batch_is_no_difference_of_lengths() -> None:
    def sized(size: int, images_seen: int) -> Record:
        made = make({"data.batch_size": size}, {0: 1.0}).records[0]
        return replace(made, images_seen=images_seen)

    assert same_length([sized(16, 1008), sized(64, 1024)])
    assert not same_length([sized(16, 1008), sized(64, 1088)])
    assert not same_length([sized(64, 1024), sized(64, 1040)])


def test_a_lone_baseline_that_differs_in_more_is_taken_and_said() -> None:
    groups = [make({"name": "a", "depth": 1}, {0: 1.0}), make({"name": "b", "width": 2}, {0: 3.0})]
    (one,) = differences(groups, {"name": "a"}, ["name", "depth", "width"], ["fid"])
    assert one.also == ("depth", "width")


@pytest.mark.parametrize(
    ("text", "value"), [("m.x=true", True), ("m.x=TRUE", True), ("m.lr=1e-4", 0.0001)]
)
def test_a_baseline_is_read_as_the_value_it_means(text: str, value: object) -> None:
    groups = [make({"m.x": x, "m.lr": lr}, {0: 1}) for x in (True, False) for lr in (1, 0.0001)]
    assert list(parse_baseline(text, groups, ["m.x", "m.lr"]).values()) == [value]


def test_a_wrong_baseline_is_explained() -> None:
    groups = [make({"m.x": x}, {0: 1}) for x in (True, False)]
    for text, hint in (
        ("m.x", "give key=value"),
        ("x=true", "did you mean m.x"),
        ("m.x=3", "there are true, false"),
        ("other=3", "what differs is m.x"),
    ):
        with pytest.raises(UserError, match=hint):
            parse_baseline(text, groups, ["m.x"])


def test_what_is_alike_for_all_seeds_is_paired_with_each() -> None:
    seeds = make({"x": 0}, {0: 1.0, 1: 2.0, 2: 3.0})
    alike = make({"x": 1}, {0: 5.0})
    alike = replace(alike, records=(replace(alike.records[0], seed=None),))
    assert (alike.seeds, alike.seeds_shown) == ([], "all")
    (one,) = differences([seeds, alike], {"x": 0}, ["x"], ["fid"])
    assert (one.result.summary.n, one.result.summary.mean, one.unpaired) == (3, 3.0, ())
    (other,) = differences([seeds, alike], {"x": 1}, ["x"], ["fid"])
    assert other.result.summary.mean == -3.0
    assert other.result.summary.sd == 1.0
    single = replace(alike, values={"x": 2}, records=(replace(alike.records[0]),))
    (two,) = differences([alike, single], {"x": 1}, ["x"], ["fid"])
    assert (two.result.summary.n, two.verdict) == (1, "not decided at this size")


def test_probes_are_as_long_as_their_networks() -> None:
    base, other = (make({"x": x}, {0: 1.0 + x, 1: 2.0 + x + x / 100}) for x in (0, 1))
    longer = replace(other, records=tuple(replace(r, images_seen=2) for r in other.records))
    probes = [
        replace(g, records=tuple(replace(r, probe=True) for r in g.records)) for g in (base, longer)
    ]
    (one,) = differences(probes, {"x": 0}, ["x"], ["fid"])
    assert (one.verdict, one.unequal) == ("higher", ())
