"""What ``squeue`` prints, and what it means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fer_lightning.errors import UserError
from fer_lightning.launchers.slurm.queue import Entry, jobs, lost, parsed

LISTED = """\
12_0|RUNNING|None|train-a
12_1|PENDING|launch failed requeued held|train-a
12_2|CANCELLED|None|train-a
13|COMPLETED|None|evaluate-b
14|PENDING|Resources|with|bar
"""


def program(folder: Path, name: str, text: str) -> None:
    """Put a program of that name into ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_jobs_are_known_by_their_name_and_place() -> None:
    found = parsed(LISTED)
    assert found["train-a", 0] == Entry("12_0", "RUNNING", "None")
    assert {key: entry.alive for key, entry in found.items()} == {
        ("train-a", 0): True,
        ("train-a", 1): True,
        ("train-a", 2): False,
        ("evaluate-b", 0): False,
        ("with|bar", 0): True,
    }
    assert [key for key, entry in found.items() if entry.held] == [("train-a", 1)]


@pytest.mark.parametrize("lines", [["7|PREEMPTED|None|a", "7|PENDING|None|a"]])
def test_a_job_that_was_queued_again_lives(lines: list[str]) -> None:
    for order in (lines, lines[::-1]):
        assert parsed("\n".join(order))["a", 0].state == "PENDING"


def test_squeue_is_asked_once_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program(tmp_path, "squeue", f'echo "$@" >> {tmp_path}/asked\ncat <<END\n{LISTED}END')
    assert jobs() == parsed(LISTED)
    (asked,) = (tmp_path / "asked").read_text().splitlines()
    assert "--array" in asked
    assert "--user=" in asked


def test_a_silent_slurm_is_a_user_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program(tmp_path, "squeue", "echo slurm_load_jobs error: no contact >&2\nexit 1")
    with pytest.raises(UserError, match=r"squeue .*no contact.*try again"):
        jobs()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"squeue .*No such file"):
        jobs()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (Entry("7_1", "CANCELLED"), r"job 7_1 \(CANCELLED\): it was cancelled; the same command"),
        (Entry("7", "OUT_OF_MEMORY"), r"hydra\.launcher\.mem_gb"),
        (Entry("7", "TIMEOUT"), r"hydra\.launcher\.signal_delay_s"),
        (None, r"forgotten the job"),
    ],
)
def test_a_lost_job_comes_with_a_remedy(entry: Entry | None, told: str) -> None:
    line = lost(entry)
    assert "\n" not in line
    assert re.search(told, line)
