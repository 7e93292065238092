"""``fer benchmark`` as a user runs it. What it measures is judged on a page, never by a test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Fer

TINY = [
    "rounds=1",
    "seconds=0.5",
    "image_size=16",
    "channels=1",
    "model.width=4",
    "model.latent_dim=8",
    "runs=10",
]
DRAWN = ["data.count=140", "data.picture_size=64", "data.subjects=10", "data.batch_size=8"]


@pytest.mark.slow
def test_one_benchmark_prints_its_table_and_says_where_it_is(fer: Fer, tmp_path: Path) -> None:
    done = fer("benchmark", "benchmark=startup", "rounds=1", "out=OUT")
    assert done.returncode == 0, done.stderr
    assert "| fer --help |" in done.stdout
    assert done.stdout.splitlines()[-1] == f"speed: {Path('OUT', 'speed.md')}"
    found = json.loads((tmp_path / "OUT" / "speed.json").read_text())
    assert found["results"][0]["values"].keys() >= {"fer --help", "an error in a key"}
    assert found["measured_on"]["packages"]
    assert "## Starting" in (tmp_path / "OUT" / "speed.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("benchmark=fed", "did you mean feed"),
        ("benchmark=x", "choose from all, compare, detect"),
        ("rounds=0", "give at least 1"),
        ("counts=[200,100,300]", "rising"),
        ("counts=[100,200]", "three or more"),
        ("counts=[10,100,200]", "from 100 on"),
        ("vectors=10", "at least 80"),
        ("runs=0", "at least 1"),
        ("photographs=nowhere", "no such folder"),
        ("out=FILE", "is a file"),
        ("out=FILE/x", "is a file"),
    ],
)
def test_mistakes_end_in_one_line(fer: Fer, tmp_path: Path, override: str, hint: str) -> None:
    (tmp_path / "FILE").touch()
    done = fer("benchmark", "benchmark=startup", override)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_classifier_is_timed_without_its_validations(fer: Fer, tmp_path: Path) -> None:
    own = ["rounds=2", "seconds=0.2", "image_size=16", "channels=1", "model.width=4"]
    ends = ["model.patience=1", "data.split.val=0", "model.schedule=cosine",
            "model.schedule_images=100"]  # fmt: skip
    done = fer(
        "benchmark", "benchmark=train", "model=classifier", *own, *ends, *DRAWN,
        "detector=whole_image", "out=OUT",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "classifier, paper_b of width 4" in (tmp_path / "OUT" / "speed.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not shutil.which("c++"), reason="needs hardware: a C++ compiler")
def test_all_of_them_run(fer: Fer, tmp_path: Path) -> None:
    done = fer("benchmark", *TINY, *DRAWN, "detector=whole_image", "counts=[100,120,140]",
               "vectors=80", timeout=800)  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = tmp_path / "multirun" / "benchmark" / "all" / "speed.md"
    assert done.stdout.splitlines()[-1] == f"speed: {page.relative_to(tmp_path)}"
    titles = [line for line in page.read_text().splitlines() if line.startswith("## ")]
    assert titles == [
        "## Comparing 10 runs",
        "## Detecting",
        "## Feeding",
        "## Training GANmut",
        "## Growing: fer prepare",
        "## Growing: fer train",
        "## Opening and filtering an index",
        "## FID",
        "## Searching for an SVM's setting",
        "## Starting",
        "## Training",
    ]
    results = json.loads(page.with_suffix(".json").read_text())["results"]
    assert all(min(values) > 0 for result in results for values in result["values"].values())
    goals = {goal["what"]: goal["value"] for result in results for goal in result["goals"]}
    # On one processor a box lay a pixel from facenet-pytorch's, on others none; why is not known.
    assert goals["photographs with other boxes"] <= 1
    assert goals["largest relative difference of the values"] < 1e-5
    assert goals["rows predicted otherwise at equal C and gamma"] == 0
    assert "all 140 files give" not in page.read_text()  # those of the training part alone
