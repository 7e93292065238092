"""A test image in the training set is found by the jobs that train and measure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fer_lightning.cli import main
from tests.helpers.small import small_archive
from tests.smoke.test_train import TINY


@pytest.fixture
def leaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive from before there were hashes, one of whose test images is a training image."""
    archive = small_archive(tmp_path / "faces")
    splits, faces = archive.column("split"), np.array(archive.faces)
    faces[splits.index("test")] = faces[splits.index("train")]
    np.save(archive.path / "faces.npy", faces)
    pq.write_table(archive.table().drop_columns(["phash"]), archive.path / "index.parquet")
    monkeypatch.chdir(tmp_path)
    return archive.path


def test_training_warns_and_the_results_count_it(
    leaking: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = {"val": {"images": 0, "of": 9}, "test": {"images": 1, "of": 9}}
    warning = "warning: 1 of 9 test images (11.1%) have a near-duplicate among the training images"
    command = ["train", *TINY, f"data.archive={leaking}", "run_dir=RUN", "trainer.max_images=16"]
    assert main(command) == 0
    assert capfd.readouterr().err.count(warning) == 1
    results = json.loads((tmp_path / "RUN" / "results.json").read_text())
    assert results["near_duplicates"] == seen

    assert main(["evaluate", "run=RUN", "accelerator=cpu", "split=test"]) == 0
    assert capfd.readouterr().err.count(warning) == 1
    (file,) = (tmp_path / "RUN" / "evaluations").glob("*.json")
    content = json.loads(file.read_text())
    assert content["near_duplicates"] == {"test": seen["test"]}
    assert content["metrics"]["near_duplicates_train"] == 0  # of the generated images

    assert main(["evaluate", "run=RUN", "accelerator=cpu", "split=val"]) == 0
    assert warning not in capfd.readouterr().err


def test_training_says_nothing_where_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    archive = small_archive(tmp_path / "faces")
    monkeypatch.chdir(tmp_path)
    command = ["train", *TINY, f"data.archive={archive.path}", "trainer.max_images=16"]
    assert main([*command, "run_dir=RUN"]) == 0
    assert "near-duplicate" not in capfd.readouterr().err
