"""The real command on folders as the other jobs leave them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.conftest import Fer
from tests.helpers.detected import detected_archive
from tests.helpers.results import make_evaluation, make_run, tiny_study
from tests.helpers.small import class_folders


def test_runs_are_compared(fer: Fer, tmp_path: Path) -> None:
    names = []
    for width in (4, 8):
        for seed in (0, 1, 2):
            names.append(f"w{width} s{seed}")
            folder = make_run(tmp_path / names[-1], seed, width=width)
            make_evaluation(folder, {"fid": 100.0 / width + seed})
    done = fer("compare", f"runs=[{','.join(names)}]", "out=OUT", "baseline=model.width=4")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "comparison: OUT/comparison.html"
    with (tmp_path / "OUT" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["model.width"], r["fid_mean"], r["fid_sd"], r["fid_n"]) for r in rows] == [
        ("4", "26.0", "1.0", "3"), ("8", "13.5", "1.0", "3")
    ]  # fmt: skip
    page = (tmp_path / "OUT" / "comparison.md").read_text()
    assert "## Differences from model.width=4" in page
    assert "fer compare" in page
    left = sorted(p.name for p in tmp_path.iterdir() if p.name not in names)
    assert left == ["OUT", "multirun"]


@pytest.mark.slow
def test_a_study_is_compared_by_name_and_folder(fer: Fer, tmp_path: Path) -> None:
    folder = tiny_study(tmp_path, {True: [1.0, 2.1], False: [3.0, 4.0]}, metrics={"fid": {}})
    for name in ("tiny", str(folder)):
        done = fer("compare", f"study={name}", "out=OUT")
        assert done.returncode == 0, done.stderr
        assert "| spectral_norm=true " in done.stdout
        assert (tmp_path / "OUT" / "comparison.png").is_file()


@pytest.mark.slow
def test_detectors_are_compared(fer: Fer, tmp_path: Path) -> None:
    class_folders(tmp_path / "photographs", each=4)
    keep = "detector.no_face=centre_crop"  # noise has no face
    for detector in ("viola_jones", "whole_image"):
        done = fer(
            "prepare", "data=folder", "data.root=photographs", "image_size=16", "workers=1",
            f"detector={detector}", keep, f"archive={detector} (1)"
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    archives = "archives=[viola_jones (1),whole_image (1)]"
    done = fer("compare", archives, "out=OUT")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "comparison: OUT/comparison.md"
    assert "whole_image finds a face in every image" in done.stdout
    page = (tmp_path / "OUT" / "comparison.md").read_text()
    assert "viola_jones keeps 12 images in which no face was found (no_face=centre_crop)." in page
    with (tmp_path / "OUT" / "results.csv").open(newline="") as file:
        viola_jones, whole_image = csv.DictReader(file)
    assert (viola_jones["name"], viola_jones["found"]) == ("viola_jones", "0")
    assert (whole_image["found"], whole_image["sadness_found"]) == ("12", "4")
    assert float(viola_jones["milliseconds"]) > 0


@pytest.mark.slow
def test_mistakes_are_one_line(fer: Fer, tmp_path: Path) -> None:
    make_run(tmp_path / "r")
    detected_archive(tmp_path / "a", {"fear": (3, 1)})
    for arguments, hint in (
        (["runs=[nowhere]", "out=OUT"], "nowhere is no run"),
        (["study=smoke", "out=OUT"], "run `fer study study=smoke` first"),
        (["runs=[r]", "out=OUT", "metrics=[g_los]"], "did you mean g_loss"),
        (["out=OUT"], "give either study=NAME or runs=[RUN,…] or archives=[ARCHIVE,…]"),
        (["archives=[a]", "runs=[r]", "out=OUT"], "give either study=NAME or runs="),
        (["archives=[a,nowhere]", "out=OUT"], "nowhere is no face archive"),
        (["archives=a", "out=OUT"], "archives"),
        (["archvies=[a]", "out=OUT"], "did you mean archives"),
    ):
        done = fer("compare", *arguments)
        assert done.returncode == 2
        assert hint in done.stderr
        assert "Traceback" not in done.stderr
