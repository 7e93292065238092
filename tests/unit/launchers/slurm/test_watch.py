"""Waiting for jobs, which may end without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_lightning.errors import UserError
from fer_lightning.launchers.cells import Cell
from fer_lightning.launchers.slurm import queue, watch
from fer_lightning.launchers.slurm.queue import Entry
from fer_lightning.launchers.slurm.watch import Watch
from fer_lightning.runs import write_json
from tests.unit.launchers.slurm.test_orders import order

Listed = dict[tuple[str, int], Entry]


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Two cells with jobs, looked at without pauses."""
    for name in ("PAUSE", "ASK_EVERY", "LAG"):
        monkeypatch.setattr(watch, name, 0.0)
    cells = [Cell(number, f"seed={number}", ["fer"]) for number in (3, 4)]
    jobs = Watch(cells)
    for index, cell in enumerate(cells):
        jobs.add(cell, order(tmp_path, index))
    return jobs


def answers(monkeypatch: pytest.MonkeyPatch, *listed: Listed | UserError | None) -> None:
    """What SLURM says when it is asked, one after the other; None for Ctrl-C in between."""
    waiting: Iterator[Listed | UserError | None] = iter(listed)

    def jobs() -> Listed:
        answer = next(waiting)
        if answer is None:
            raise KeyboardInterrupt
        if isinstance(answer, UserError):
            raise answer
        return answer

    monkeypatch.setattr(queue, "jobs", jobs)


def listed(watched: Watch, *states: str, reason: str = "None") -> Listed:
    orders = watched.orders.values()
    return {
        (one.name, one.index): Entry(f"7_{one.index}", state, reason)
        for one, state in zip(orders, states, strict=False)
    }


def test_jobs_end_by_themselves_or_by_slurm(
    watched: Watch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = watched.orders[3]
    write_json(first.report, {"path": "multirun/train/x", "metrics": {}, "status": 0})
    first.end(0)
    answers(monkeypatch, listed(watched, "COMPLETED", "CANCELLED"))
    watched.wait()
    done, cancelled = watched.outcomes()
    assert (done.state, cancelled.state) == ("done", "failed")
    assert done.result is not None
    assert done.result.path == Path("multirun/train/x")
    assert "SLURM ended job 7_1 (CANCELLED): it was cancelled" in cancelled.error
    assert cancelled.log == watched.orders[4].log
    assert first.collected.exists()
    errors = capfd.readouterr().err
    assert re.search(r"#3 done after \d+ s: multirun/train/x", errors)
    assert re.search(r"#4 failed after \d+ s: SLURM ended job 7_1", errors)


def test_what_a_job_left_counts_though_slurm_has_forgotten_it(
    watched: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LAG", 60.0)
    waiting = [listed(watched, "RUNNING", "RUNNING"), {}, {}]

    def jobs() -> Listed:
        if len(waiting) == 1:  # the disk is slower than the queue
            for one in watched.orders.values():
                one.end(2, "model.width=0: no")
        return waiting.pop(0)

    monkeypatch.setattr(queue, "jobs", jobs)
    watched.wait()
    assert [(o.state, o.error) for o in watched.outcomes()] == [("failed", "model.width=0: no")] * 2


def test_states_are_told_once(
    watched: Watch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    held = listed(watched, "PENDING", "PENDING", reason="JobHeldUser")
    answers(
        monkeypatch,
        listed(watched, "RUNNING", "RUNNING"),
        UserError("squeue does not answer"),
        listed(watched, "PENDING", "RUNNING"),
        held,
        held,
        {},
    )
    watched.wait()
    errors = capfd.readouterr().err
    assert errors.count("job 7_0 runs") == 1
    assert errors.count("job 7_0 is queued again") == 1
    assert errors.count("job 7_0 is held (JobHeldUser): scontrol release 7_0") == 1
    assert errors.count("squeue does not answer; still waiting") == 1
    assert [o.state for o in watched.outcomes()] == ["failed", "failed"]


def test_ctrl_c_leaves_the_jobs_and_says_how_to_end_them(
    watched: Watch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    watched.orders[3].end(0)
    answers(monkeypatch, None, listed(watched, "COMPLETED", "RUNNING"))
    with watched.interruptible():
        watched.wait()
    assert watched.interrupted
    watched.cells = [*watched.cells, Cell(5, "never submitted", ["fer"])]
    assert [o.state for o in watched.outcomes()] == ["done", "queued", "waiting"]
    errors = capfd.readouterr().err
    assert "1 of 2 cells go on in the queue" in errors
    assert "scancel 7_1\n" in errors
