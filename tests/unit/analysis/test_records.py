"""Run folders become records; what cannot be one is named."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from fer_lightning.analysis.records import epoch_values, read_runs
from fer_lightning.errors import UserError
from fer_lightning.runs import ERROR, write_json
from tests.helpers.results import make_evaluation, make_run


def test_a_run_becomes_a_record(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", seed=3, width=8)
    make_evaluation(run, {"fid": 9.0})
    (record,) = read_runs([run, tmp_path / "." / "r"]).records
    assert record.config == {"model.width": 8, "image_size": 16, "archives": "aaaaaaaa"}
    assert (record.seed, record.images_seen, record.seconds) == (3, 100, 13.0)
    assert record.metrics == {"g_loss": 4.0, "fid": 9.0}
    assert [source.job for source in record.sources] == ["train", "evaluate"]


def test_the_command_is_the_one_that_the_results_are_of(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r")
    manifest = json.loads((run / "manifest.json").read_text())
    write_json(run / "manifest.json", {**manifest, "command": "fer train x trainer.max_images=200"})
    assert read_runs([run]).records[0].command == "fer train x"


def test_a_column_at_an_epoch(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", epochs={1: 0.25, 2: 0.5})
    wanted = ["epoch_g_loss@2", "epoch_g_loss@3", "nothing@2", "g_loss"]
    assert epoch_values(run / "metrics.csv", wanted) == {"epoch_g_loss@2": 0.5}
    assert read_runs([run], wanted).records[0].metrics["epoch_g_loss@2"] == 0.5
    with (run / "metrics.csv").open("a") as file:
        file.write("30,,3,0.")  # the row that a killed run was writing
    assert "epoch_g_loss@3" not in epoch_values(run / "metrics.csv", wanted)
    with pytest.raises(UserError, match="after @ stands an epoch"):
        epoch_values(run / "metrics.csv", ["epoch_g_loss@last"])
    (run / "metrics.csv").write_text("images_seen,epoch,epoch_g_loss\n10,2,0.1x\n")
    with pytest.raises(UserError, match=r"metrics\.csv is damaged"):
        read_runs([run], wanted)


def test_an_unfinished_run_is_listed(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b", finished=False, width=4)]
    read = read_runs(runs)
    assert len(read.records) == 1
    (unfinished,) = read.unfinished
    assert unfinished.what == str(tmp_path / "b")
    assert "fer train x" in unfinished.reason
    assert (unfinished.path, unfinished.seed) == (tmp_path / "b", 0)
    assert unfinished.config == {"model.width": 4, "image_size": 16, "archives": "aaaaaaaa"}


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    run = make_run(tmp_path, finished=False)
    (run / ERROR).write_text("training diverged: d_loss is nan\n")
    (failed,) = read_runs([run]).unfinished
    assert (failed.status, failed.reason) == ("failed", "training diverged: d_loss is nan")
    assert failed.path == run


def test_null_is_no_number(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", metrics={"fid": None})  # type: ignore[dict-item]
    assert math.isnan(read_runs([run]).records[0].metrics["fid"])


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere is no run"):
        read_runs([tmp_path / "nowhere"])
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "manifest.json").write_text('{"key": "k"}')
    with pytest.raises(UserError, match="archive is no run of `fer train`"):
        read_runs([archive])
    run = make_run(tmp_path / "r")
    for text in ("{", "[]", '{"metrics": {}}', '{"metrics": {"fid": "good"}}', '{"metrics": 3}'):
        (run / "results.json").write_text(text)
        with pytest.raises(UserError, match=r"results\.json is damaged"):
            read_runs([run])
