"""One command uploads a whole study: the newest attempt of each of its W&B runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_lightning.loggers.wandb_sync import offline_runs, sync_line
from fer_lightning.studies.cells import Cell


def attempt(run: Path, time: str, name: str, synced: bool = False) -> Path:
    folder = run / "wandb" / f"offline-run-{time}-{name}"
    folder.mkdir(parents=True)
    (folder / f"run-{name}.wandb").touch()
    if synced:
        (folder / f"run-{name}.wandb.synced").touch()
    return folder


def cell(job: str, path: Path | None, status: str = "done") -> Cell:
    return Cell("stage", job, 0, {}, [], status, None if path is None else str(path))


def test_the_newest_attempt_of_each_run_is_uploaded_once(tmp_path: Path) -> None:
    attempt(tmp_path, "20261122_080000", "abc-s0-1f")
    newest = attempt(tmp_path, "20261122_090000", "abc-s0-1f")
    other = attempt(tmp_path, "20261122_083000", "abc-s0-1f-evaluate-drawn")
    attempt(tmp_path, "20261122_093000", "uploaded", synced=True)
    assert sorted(offline_runs(tmp_path)) == sorted([newest, other])
    assert offline_runs(tmp_path / "none") == []


def test_a_study_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study, one, two = Path("multirun/study/a b"), Path("train/one"), Path("train/two")
    bad = Path("train/bad")
    first, second, third = (attempt(r, "20261122_080000", r.name) for r in (one, two, bad))
    cells = [
        cell("train", one),
        cell("evaluate", one / "evaluations" / "test.json"),
        cell("probe", two / "evaluations" / "probe.json"),
        cell("generate", one / "generated"),
        cell("train", None, "missing"),
        cell("train", bad, "failed"),
        cell("train", None, "failed"),
        cell("evaluate", bad / "evaluations" / "test.json", "failed"),
    ]
    assert sync_line(study, cells) == "wandb sync 'multirun/study/a b/wandb'/offline-run-*"
    links = sorted((study / "wandb").iterdir())
    assert [link.resolve() for link in links] == [run.resolve() for run in (third, first, second)]
    (first / "run-one.wandb.synced").touch()
    (third / "run-bad.wandb.synced").touch()
    assert sync_line(study, cells)
    assert [link.name for link in (study / "wandb").iterdir()] == [second.name]
    (second / "run-two.wandb.synced").touch()
    assert sync_line(study, cells) is None
    assert list((study / "wandb").iterdir()) == []
