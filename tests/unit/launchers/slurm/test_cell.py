"""The guard of a cell, in a process of its own as in a job."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fer_lightning.launchers.slurm.cell import Guard, _environment
from fer_lightning.launchers.slurm.orders import Order
from fer_lightning.launchers.tasks import Task
from tests.unit.launchers.slurm.test_orders import order

GUARD = """\
import pickle, signal, sys
from pathlib import Path
from submitit.core.utils import UncompletedJobError
guard, order = pickle.loads(Path(sys.argv[1]).read_bytes())
def warned(number, frame):  # as submitit does
    again = guard.checkpoint(order)
    if again is None or order.queued_again == 0:
        raise UncompletedJobError("no")
    print("queued again", flush=True)
    raise SystemExit(255)
signal.signal(signal.SIGUSR2, warned)
guard(order)
"""
STOPS = """\
import signal, sys, time
def stop(number, frame):
    print("saved", flush=True)
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(60)
"""
IN_JOB = {"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_JOB_ID": "9",
          "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "0"}  # fmt: skip


def program(folder: Path, text: str, **changed: object) -> Order:
    """An order for ``python -c text``, whose fourth word tells its job."""
    command = [sys.executable, "-c", text, "train"]
    return replace(order(folder), **{"command": command, **changed})


def start(one: Order, **environment: str) -> subprocess.Popen[str]:
    one.folder.mkdir(exist_ok=True)
    pickled = one.folder / "pickled"
    pickled.write_bytes(pickle.dumps((Guard(), one)))
    return subprocess.Popen(
        [sys.executable, "-c", GUARD, str(pickled)],
        env={**os.environ, **IN_JOB, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(one: Order) -> int:
    process = start(one)
    process.communicate(timeout=60)
    return process.returncode


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def said(one: Order) -> str:
    return one.log.read_text() if one.log.exists() else ""


def test_a_command_runs_with_the_place_of_its_report(tmp_path: Path) -> None:
    one = program(tmp_path, "import os; print(os.environ['FER_RESULT'])")
    assert run(one) == 0
    assert one.read_end() == (0, "")
    assert re.search(r"^\[.*\] job 7_0 on ", said(one))
    assert str(one.report) in said(one)


def test_a_failure_is_the_jobs_with_its_reason(tmp_path: Path) -> None:
    one = program(tmp_path, "print('fer: error: model.width=0: no'); raise SystemExit(2)")
    assert run(one) == 2
    assert one.read_end() == (2, "model.width=0: no")
    again = program(tmp_path, "raise ValueError('another reason')")
    assert run(again) == 1
    assert again.read_end() == (1, "ValueError: another reason")  # of this start, not the first


def test_at_the_limit_it_saves_and_is_queued_again(tmp_path: Path) -> None:
    one = program(tmp_path, STOPS)
    process = start(one)
    wait_for(lambda: "ready" in said(one))
    process.send_signal(signal.SIGUSR2)
    output, _ = process.communicate(timeout=60)
    assert output == "queued again\n"
    assert said(one).endswith("ready\nsaved\n")
    assert one.read_end() is None  # so the launcher waits on


@pytest.mark.slow
def test_what_does_not_save_in_time_is_queued_again_without(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(60)"
    one = program(tmp_path, deaf, warning_seconds=1)
    process = start(one)
    wait_for(lambda: "ready" in said(one))
    process.send_signal(signal.SIGUSR2)
    assert process.communicate(timeout=30)[0] == "queued again\n"
    assert "goes on from its last checkpoint" in said(one)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"queued_again": 0}, r"time limit \(hydra\.launcher\.timeout_min=60\) more often than "
                              r"hydra\.launcher\.max_num_timeout=0 times"),
        ({"command": [sys.executable, "-c", STOPS, "evaluate"], "minutes": 1},
         r"timeout_min=1\), and `fer evaluate` begins anew each time: raise it"),
    ],
)  # fmt: skip
def test_the_end_of_queueing_again_is_told(
    changed: dict[str, object], told: str, tmp_path: Path
) -> None:
    one = program(tmp_path, STOPS, **changed)
    process = start(one)
    wait_for(lambda: "ready" in said(one))
    process.send_signal(signal.SIGUSR2)
    process.communicate(timeout=60)
    assert process.returncode == 130
    end = one.read_end()
    assert end is not None
    assert end[0] == 130
    assert re.search(told, end[1])


@pytest.mark.slow
def test_a_cancelled_job_saves_and_leaves_the_verdict_to_slurm(tmp_path: Path) -> None:
    one = program(tmp_path, STOPS)
    process = start(one)
    wait_for(lambda: "ready" in said(one))
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert "saved" in said(one)
    assert one.read_end() is None


@pytest.mark.slow
def test_a_command_does_not_hear_submitits_signal(tmp_path: Path) -> None:
    """Clusters that find processes by their tree send it to all of them."""
    itself = "import os, signal; os.kill(os.getpid(), signal.SIGUSR2); print('lives')"
    one = program(tmp_path, itself)
    assert run(one) == 0
    assert "lives" in said(one)


def test_a_further_task_runs_what_the_first_asks_for(tmp_path: Path) -> None:
    asks = """\
import os, sys
from pathlib import Path
from fer_lightning.launchers.tasks import Task
task = Task(Path(os.environ["FER_TASKS"]), 1)
task.call([sys.executable, "-c", "import os; print(os.environ['RANK_OF_IT']); raise SystemExit(5)"],
          {"RANK_OF_IT": "one"}, Path("rank1.log").absolute())
raise SystemExit(task.wait(60) - 5)
"""
    one = program(tmp_path, f"import os; os.chdir({str(tmp_path)!r})\n" + asks)
    first, second = (start(one, SLURM_NTASKS="2", SLURM_PROCID=task) for task in "01")
    assert (first.wait(60), second.wait(60)) == (0, 0)
    assert (tmp_path / "rank1.log").read_text() == "one\n"
    assert one.read_end() == (0, "")


@pytest.mark.slow
def test_a_further_task_ends_with_the_first(tmp_path: Path) -> None:
    one = program(tmp_path, "pass")  # as a run that was finished already
    first, second = (start(one, SLURM_NTASKS="2", SLURM_PROCID=task) for task in "01")
    assert (first.wait(60), second.wait(60)) == (0, 0)
    calls = "from fer_lightning.launchers.tasks import Task; from pathlib import Path; import os\n"
    calls += "notes, log = Path(os.environ['FER_TASKS']), Path.cwd() / 'log'\n"
    calls += "Task(notes, 1).call(['sleep', '600'], {}, log)"
    two = program(tmp_path, f"import os; os.chdir({str(tmp_path)!r})\n{calls}", index=1)
    job = {"SLURM_NTASKS": "2", "SLURM_ARRAY_TASK_ID": "1"}
    first, second = (start(two, SLURM_PROCID=task, **job) for task in "01")
    assert (first.wait(60), second.wait(60)) == (0, 0)
    assert Task(tmp_path / "tasks" / "7_1-0", 1).wait(0.0) == -signal.SIGKILL


def test_a_command_has_nothing_of_another_runs_processes() -> None:
    others = {"LOCAL_RANK": "1", "MASTER_PORT": "15001", "FER_TASKS": "x", "FER_DATA": "data"}
    kept = _environment(others)
    assert kept == {"FER_DATA": "data", "PYTHONUNBUFFERED": "1"}
    assert _environment({"SLURM_CPUS_PER_TASK": "4"})["OMP_NUM_THREADS"] == "4"
    given = {"SLURM_CPUS_PER_TASK": "4", "OMP_NUM_THREADS": "1"}
    assert _environment(given)["OMP_NUM_THREADS"] == "1"
