"""What a process is told about the others of its run."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer_lightning import ranks
from fer_lightning.errors import UserError
from fer_lightning.launchers.tasks import Task
from fer_lightning.ranks import any_rank, of_all_ranks, other_ranks, rank, refuse_other_launchers


def test_a_process_alone_is_the_first_of_one() -> None:
    assert rank() == 0
    assert of_all_ranks("x") == ["x"]
    assert any_rank()(True)
    assert not any_rank()(False)


def test_another_launchers_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_other_launchers()
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(UserError, match="without torchrun"):
        refuse_other_launchers()
    monkeypatch.setenv("FER_RANK", "1")
    refuse_other_launchers()
    assert rank() == 1


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """The second task of a job on a cluster."""
    monkeypatch.setenv("FER_TASKS", str(tmp_path / "7-0"))
    hydra = SimpleNamespace(
        job=SimpleNamespace(config_name="train"),
        overrides=SimpleNamespace(task=["seed=1", "trainer.devices=2"]),
    )
    monkeypatch.setattr(ranks.HydraConfig, "get", lambda: hydra)
    return Task(tmp_path / "7-0", 1)


def test_further_tasks_of_a_job_are_asked_to_join(task: Task, tmp_path: Path) -> None:
    before = dict(os.environ)
    with other_ranks(2, tmp_path):
        call = task.called()
        task.end(0)
    assert dict(os.environ) == before
    assert call is not None
    assert call["command"][-4:] == ["fer_lightning", "train", "seed=1", "trainer.devices=2"]
    assert call["log"] == str(tmp_path / "rank1.log")
    environment = call["environment"]
    assert environment.pop("MASTER_PORT").isdigit()
    assert environment.pop("OMP_NUM_THREADS").isdigit()
    assert environment == {
        "MASTER_ADDR": "127.0.0.1", "NODE_RANK": "0", "WORLD_SIZE": "2",
        "LOCAL_RANK": "1", "FER_RANK": "1",
    }  # fmt: skip


def test_a_failed_task_is_the_reason(task: Task, tmp_path: Path) -> None:
    def train() -> None:
        (tmp_path / "rank1.log").write_text("fer: error: the disk is full\n")
        task.end(2)
        raise ConnectionError("the other process has gone")

    with (
        pytest.raises(UserError, match=r"process 1 .*: the disk is full; see .*rank1\.log"),
        other_ranks(2, tmp_path),
    ):
        train()
