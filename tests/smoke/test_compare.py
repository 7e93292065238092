"""The real command on folders as the other jobs leave them."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.conftest import Fer
from tests.helpers.results import make_evaluation, make_run, tiny_study


def test_runs_are_compared(fer: Fer, tmp_path: Path) -> None:
    names = []
    for width in (4, 8):
        for seed in (0, 1, 2):
            names.append(f"w{width} s{seed}")
            folder = make_run(tmp_path / names[-1], seed, width=width)
            make_evaluation(folder, {"fid": 100.0 / width + seed})
    done = fer("compare", f"runs=[{','.join(names)}]", "out=OUT", "baseline=model.width=4")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "comparison: OUT/comparison.md"
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


def test_a_study_is_compared_by_name_and_folder(fer: Fer, tmp_path: Path) -> None:
    folder = tiny_study(tmp_path, {True: [1.0, 2.1], False: [3.0, 4.0]}, metrics={"fid": {}})
    for name in ("tiny", str(folder)):
        done = fer("compare", f"study={name}", "out=OUT")
        assert done.returncode == 0, done.stderr
        assert "| spectral_norm=true " in done.stdout
        assert (tmp_path / "OUT" / "comparison.png").is_file()


def test_mistakes_are_one_line(fer: Fer, tmp_path: Path) -> None:
    make_run(tmp_path / "r")
    for arguments, hint in (
        (["runs=[nowhere]", "out=OUT"], "nowhere is no run"),
        (["study=smoke", "out=OUT"], "run `fer study study=smoke` first"),
        (["runs=[r]", "out=OUT", "metrics=[g_los]"], "did you mean g_loss"),
        (["out=OUT"], "give either study=NAME or runs="),
    ):
        done = fer("compare", *arguments)
        assert done.returncode == 2
        assert hint in done.stderr
        assert "Traceback" not in done.stderr
