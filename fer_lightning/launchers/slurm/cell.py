"""What runs in a job of the cluster: the plain command of the cell, and a guard beside it.

The guard is submitit's process. It alone hears SLURM's signals and passes SIGTERM on, which is how
``fer`` stops everywhere: at the end of a batch, with a checkpoint. Then submitit queues the job
again, and the same command goes on in the same run folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from fer_lightning.launchers.cells import STOPPED
from fer_lightning.launchers.processes import dies_with_us, error_line
from fer_lightning.launchers.report import VARIABLE
from fer_lightning.launchers.slots import INHERITED
from fer_lightning.launchers.slurm.orders import Order
from fer_lightning.launchers.tasks import PAUSE, Task, ended_file
from fer_lightning.launchers.tasks import VARIABLE as TASKS

GOES_ON = ("train", "prepare")
"""Jobs that a further start brings nearer to their end; others begin anew."""
MARGIN = 15
"""Seconds before the time limit in which a job is queued again, whether it has saved or not."""
SLACK = 90
"""Seconds by which SLURM's warning may come early: it looks at its jobs once a minute."""


class Guard:
    """Runs an order; submitit calls it in each task of the job, and pickles it before.

    It must not import torch: the command does.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._started = time.monotonic()
        self._stopped = False

    def __call__(self, order: Order) -> None:
        """Run the command, or in a further task what the first one asks for.

        Raises:
            SystemExit: With the command's status if it failed or was stopped.
        """
        self._started = time.monotonic()
        signal.signal(signal.SIGTERM, self._pass_on)  # cancelled, preempted, or at the very limit
        task, tasks = (int(os.environ[name]) for name in ("SLURM_PROCID", "SLURM_NTASKS"))
        notes = _notes(order)
        notes.parent.mkdir(exist_ok=True)
        if task:
            self._help(notes, task)
            return
        try:
            status = self._run(order, notes if tasks > 1 else None)
        finally:
            ended_file(notes).touch()
        if status:
            raise SystemExit(status if status > 0 else 128 - status)

    def checkpoint(self, order: Order) -> Any:
        """Have the command save; submitit calls it when SLURM warns, and then queues the job.

        Returns:
            The job to queue; None where that would be of no use.
        """
        import submitit

        ran = time.monotonic() - self._started
        if order.job not in GOES_ON and ran > order.minutes * 60 - order.warning_seconds - SLACK:
            self._tell()
            return None
        self._tell()
        patience = max(order.warning_seconds - MARGIN, order.warning_seconds / 2)
        status = self._status_within(patience)
        if status is None:
            self._write(order, "it did not save in time and goes on from its last checkpoint")
        elif status not in STOPPED:
            return None  # it has ended by itself, a moment before
        return submitit.helpers.DelayedSubmission(Guard(), order)

    def _run(self, order: Order, notes: Path | None) -> int:
        from submitit.core.utils import UncompletedJobError

        order.ended.unlink(missing_ok=True)  # a start before this one was asked to run again
        self._write(order, f"job {_job()} on {os.uname().nodename}")
        environment = _environment(os.environ) | {VARIABLE: str(order.report)}
        if notes is not None:
            environment[TASKS] = str(notes)
        begin = order.log.stat().st_size
        self._process = process = _start(order.command, environment, order.log)
        limit = ""
        try:
            status = process.wait()
        except UncompletedJobError:  # submitit will not queue it again, or we have said so
            status = process.wait()
            limit = _at_limit(order)
        except Exception as error:
            order.end(1, f"SLURM did not queue it again ({error}); the same command goes on")
            raise
        if status in STOPPED:
            if limit:
                order.end(status, limit)
        elif not (self._stopped and status == -signal.SIGKILL):
            order.end(status, "" if status == 0 else error_line(order.log, status, begin))
        return status

    def _help(self, notes: Path, number: int) -> None:
        """Run what the first task asks for, and stay until that has ended."""
        task, ended = Task(notes, number), ended_file(notes)
        while (call := task.called()) is None:
            if ended.exists():
                return
            time.sleep(PAUSE)
        environment = _environment(os.environ) | {TASKS: str(notes)} | call["environment"]
        self._process = process = _start(call["command"], environment, Path(call["log"]))
        while (status := process.poll()) is None:
            if ended.exists():
                process.kill()
            time.sleep(PAUSE)
        task.end(status)
        while not ended.exists():
            time.sleep(PAUSE)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._tell()

    def _tell(self) -> None:
        """Tell the command to stop."""
        self._stopped = True
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)

    def _status_within(self, seconds: float) -> int | None:
        """The command's status, or None if it goes on for so long.

        Popen's own wait would not do: this runs within another one, which holds its lock.
        """
        if self._process is None:
            return -signal.SIGTERM
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:  # the other wait has just had it
                return self._process.returncode
            if found is not None:
                return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
            time.sleep(PAUSE)
        return None

    def _write(self, order: Order, line: str) -> None:
        with order.log.open("a", encoding="utf-8") as log:
            log.write(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] {line}\n")


def _at_limit(order: Order) -> str:
    """Why a job was not queued again at its time limit."""
    limit = f"it reached its time limit (hydra.launcher.timeout_min={order.minutes})"
    if order.job not in GOES_ON:
        return f"{limit}, and `fer {order.job}` begins anew each time: raise it"
    return (
        f"{limit} more often than hydra.launcher.max_num_timeout={order.queued_again} times: "
        "the same command goes on where it was"
    )


def _start(
    command: list[str], environment: Mapping[str, str], output: Path
) -> subprocess.Popen[bytes]:
    """Start a command that hears SIGTERM alone.

    It stays in our process group: some clusters find a job's processes by that.
    """
    with output.open("ab") as log:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_deaf(dies_with_us()),
        )


def _deaf(then: Callable[[], None] | None) -> Callable[[], None]:
    """Ignore the signals of submitit, which some clusters send to every process of a job.

    The command, and whatever it starts, such as W&B's process, would end at once by them.
    """

    def before_exec() -> None:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        if then is not None:
            then()

    return before_exec


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Without what would tie the command to another's processes."""
    names = (*INHERITED, "MASTER_PORT")
    environment = {name: value for name, value in inherited.items() if name not in names}
    environment["PYTHONUNBUFFERED"] = "1"  # its log can be followed, and is whole if it is killed
    cores = environment.get("SLURM_CPUS_PER_TASK")
    if cores is not None:
        environment.setdefault("OMP_NUM_THREADS", cores)
    return environment


def _notes(order: Order) -> Path:
    """Beginning of the notes' paths between the tasks of this start of the job."""
    restart = os.environ.get("SLURM_RESTART_COUNT", "0")
    return order.folder / "tasks" / f"{_job()}-{restart}"


def _job() -> str:
    """The job's id, as ``squeue`` shows it."""
    array, index = (os.environ.get(name) for name in ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"))
    return f"{array}_{index}" if array else os.environ["SLURM_JOB_ID"]
