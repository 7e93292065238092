"""Notes between the tasks of a job."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fer_lightning.launchers.tasks import Task, ended_file


def test_a_task_runs_what_the_first_one_asks_for(tmp_path: Path) -> None:
    caller, task = Task(tmp_path / "7_0-0", 1), Task(tmp_path / "7_0-0", 1)
    assert task.called() is None
    caller.call(["fer", "train"], {"WORLD_SIZE": "2"}, tmp_path / "rank1.log")
    log = str(tmp_path / "rank1.log")
    assert task.called() == {
        "command": ["fer", "train"],
        "environment": {"WORLD_SIZE": "2"},
        "log": log,
    }
    with pytest.raises(subprocess.TimeoutExpired):
        caller.wait(0.0)
    task.end(-9)
    assert caller.wait(0.0) == -9


def test_tasks_and_starts_do_not_share_notes(tmp_path: Path) -> None:
    Task(tmp_path / "7_1-0", 1).call([], {}, tmp_path / "log")
    Task(tmp_path / "7_1-0", 1).end(0)
    ended_file(tmp_path / "7_1-0").touch()
    for notes, number in (("7_1-0", 2), ("7_1-1", 1), ("7_10-0", 1), ("7_1", 1)):
        task = Task(tmp_path / notes, number)
        assert task.called() is None
        with pytest.raises(subprocess.TimeoutExpired):
            task.wait(0.0)
        assert ended_file(tmp_path / notes).exists() is (notes == "7_1-0")
