"""Numbers of one name that were measured differently are never averaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_lightning.analysis.records import read_runs
from fer_lightning.errors import UserError
from tests.helpers.results import make_evaluation, make_run


def metrics(*runs: Path) -> list[list[str]]:
    return [sorted(r.metrics.keys() - {"g_loss"}) for r in read_runs(runs).records]


def test_two_splits_get_two_names_in_all_runs(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1", 1), make_run(tmp_path / "2", 2)
    make_evaluation(one, {"fid": 1.0}, split="val")
    make_evaluation(one, {"fid": 2.0}, split="test")
    make_evaluation(two, {"fid": 3.0}, split="test")
    assert metrics(one, two) == [["fid[test]", "fid[val]"], ["fid[test]"]]


def test_splits_are_kept_apart_also_between_runs(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1", 1), make_run(tmp_path / "2", 2)
    make_evaluation(one, {"fid": 1.0}, split="val")
    make_evaluation(two, {"fid": 3.0}, split="test")
    assert metrics(one, two) == [["fid[val]"], ["fid[test]"]]


def test_the_part_that_tells_apart_is_short(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r")
    make_evaluation(run, {"fid": 1.0}, neighbours=5, weights_digest="0123")
    make_evaluation(run, {"fid": 2.0}, neighbours=3, weights_digest="4567")
    assert metrics(run) == [["fid[3]", "fid[5]"]]
    make_evaluation(run, {"fid": 3.0}, split="val", neighbours=3, weights_digest="4567")
    assert metrics(run) == [["fid[test,3]", "fid[test,5]", "fid[val,3]"]]


def test_one_value_under_two_protocols_is_one_number(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r")
    make_evaluation(run, {"frechet_pixels": 1.0}, feature="pixels")
    make_evaluation(run, {"frechet_pixels": 1.0, "fid": 2.0}, feature="inception")
    assert metrics(run) == [["fid", "frechet_pixels"]]


def test_other_protocols_between_runs_are_said(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1", 1), make_run(tmp_path / "2", 2)
    make_evaluation(one, {"fid": 1.0, "kid": 1.0, "kid/anger": 1.0}, real=100)
    make_evaluation(two, {"fid": 3.0, "kid": 1.0, "kid/anger": 1.0}, real=99)
    assert metrics(one, two) == [["fid", "kid", "kid/anger"]] * 2
    assert read_runs([one, two]).notes == (
        "Evaluations of fid, kid differ in their protocol (real).",
    )


def test_what_follows_from_the_configuration_is_no_other_protocol(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1", 1), make_run(tmp_path / "2", 2)
    make_evaluation(one, {"gain": 1.0}, ema=True, told_label=False)
    make_evaluation(two, {"gain": 3.0}, ema=False, told_label=True)
    assert not read_runs([one, two]).notes


def test_an_evaluation_of_an_earlier_model_is_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", images_seen=200)
    make_evaluation(run, {"fid": 1.0}, images_seen=100)
    make_evaluation(run, {"fid": 2.0}, images_seen=200)
    read = read_runs([run])
    assert read.records[0].metrics["fid"] == 2.0
    assert "measured after 100 images and is left out" in read.notes[0]


def test_two_values_under_one_protocol_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r")
    file = make_evaluation(run, {"fid": 1.0})
    text = file.read_text().replace('"fid": 1.0', '"fid": 2.0')
    file.with_name("copy.json").write_text(text)
    with pytest.raises(UserError, match="several values under one protocol"):
        read_runs([run])
    file.write_text("{}")
    with pytest.raises(UserError, match="it has no protocol"):
        read_runs([run])


def test_what_a_run_logged_itself_is_kept_apart(tmp_path: Path) -> None:
    one = make_run(tmp_path / "1", 1, {"fid": 1.0, "g_loss": 1.0})
    two = make_run(tmp_path / "2", 2, {"fid": 2.0, "g_loss": 1.0})
    assert metrics(one, two) == [["fid"], ["fid"]]
    make_evaluation(one, {"fid": 3.0})
    assert metrics(one, two) == [["fid", "fid[in training]"], ["fid[in training]"]]


def test_runs_have_checkpoints_of_their_own_and_readable_names_come_first(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "1", 1), make_run(tmp_path / "2", 2)
    make_evaluation(one, {"fid": 1.0}, checkpoint="a", left_out={"is": "few"})
    make_evaluation(two, {"fid": 3.0}, checkpoint="b")
    assert read_runs([one, two]).notes == ()
    make_evaluation(one, {"fid": 2.0}, checkpoint="a", rows="0123", corpus="other")
    assert metrics(one) == [["fid[none]", "fid[other]"]]
    three = make_run(tmp_path / "3", 3)
    for network in ("small", "large"):
        make_evaluation(three, {"fid": len(network) + ord(network[0])}, features=[network] * 9)
    names = metrics(three)[0]
    assert all(len(name) == len("fid[01234567]") for name in names)
    assert len(names) == 2
