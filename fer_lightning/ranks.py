"""Several devices: one process a device, started, compared and ended together.

Lightning would start its processes from ``sys.argv``, in which Hydra's overrides of a sweep, but
not the job, can be found; so the first process starts the others here, with the very overrides
of its own cell. In a job of a cluster that has a task for each, it asks the other tasks to.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from hydra.core.hydra_config import HydraConfig
from torch import Tensor

from fer_lightning.errors import UserError, mendable
from fer_lightning.launchers.processes import dies_with_us, error_line
from fer_lightning.launchers.slots import free_port
from fer_lightning.launchers.tasks import VARIABLE as TASKS
from fer_lightning.launchers.tasks import Task

MARK = "FER_RANK"
"""Environment variable that tells a process that we have started it, and its number."""
PATIENCE = timedelta(hours=6)
"""How long ranks wait for each other, such as for the first one while it measures the model."""
GRACE = 20.0
"""Seconds in which the first process may notice by itself that another one has failed."""
SHARED = ("OMP_NUM_THREADS", "MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "WORLD_SIZE")
"""Variables that all processes of a run have alike."""

Process = subprocess.Popen[bytes] | Task
"""Another process of a run: started here, or by another task of our job."""


def rank() -> int:
    """Number of this process among those of its run; 0 for the one that the user started."""
    return int(os.environ.get(MARK, "0"))


def refuse_other_launchers() -> None:
    """Refuse to be one of several processes that torchrun or the like have started.

    Raises:
        UserError: Says what to do instead.
    """
    if "LOCAL_RANK" in os.environ and MARK not in os.environ:
        raise UserError(
            "LOCAL_RANK is set, so another launcher has started this process: start the command "
            "once, without torchrun; trainer.devices=N starts a process for each device"
        )


@contextmanager
def other_ranks(devices: int, logs: Path) -> Iterator[None]:
    """Start processes 1 to ``devices`` - 1 of this very job, and wait for them at the end.

    Args:
        devices: Processes in all.
        logs: Folder for ``rank<N>.log``, what the others print.

    Raises:
        UserError: If one of them failed; names its log.
    """
    if devices == 1:
        yield
        return
    before, threads = dict(os.environ), torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, threads // devices))
    os.environ |= {
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": before.get("MASTER_PORT") or str(free_port(())),
        "NODE_RANK": "0",
        "LOCAL_RANK": "0",
        "WORLD_SIZE": str(devices),
    }
    others = [_start(number, logs) for number in range(1, devices)]
    ended = threading.Event()
    threading.Thread(target=_watch, args=(others, logs, ended), daemon=True).start()
    try:
        yield
    except Exception as error:
        if mendable(error) is None and (failure := _failure(others, logs, 5.0)):
            raise failure from error
        raise
    finally:
        ended.set()
        leave_group()
        os.environ.clear()
        os.environ |= before
        torch.set_num_threads(threads)
        for process in others:
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()


def leave_group() -> None:
    """Part from the other ranks, if there are any.

    A process that had ended with gloo's group standing was once aborted on its way out (exit 134).
    """
    if dist.is_initialized():
        dist.destroy_process_group()


def _start(number: int, logs: Path) -> Process:
    hydra = HydraConfig.get()
    job = str(hydra.job.config_name)
    command = [sys.executable, "-m", "fer_lightning", job, *hydra.overrides.task]
    path = logs / f"rank{number}.log"
    path.unlink(missing_ok=True)  # an earlier attempt's errors are not this one's
    own = {"LOCAL_RANK": str(number), MARK: str(number)}
    if (notes := os.environ.get(TASKS)) is not None:
        task = Task(Path(notes), number)
        task.call(command, {name: os.environ[name] for name in SHARED} | own, path.absolute())
        return task
    with path.open("ab") as log:
        return subprocess.Popen(
            command,
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=dies_with_us(),  # before they meet, nothing else would tell it
        )


def _failure(others: list[Process], logs: Path, patience: float) -> UserError | None:
    """The error of the first process that ended badly within ``patience`` seconds."""
    for number, process in enumerate(others, 1):
        try:
            status = process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        if status not in (0, 130):
            log = logs / f"rank{number}.log"
            said = error_line(log, status)
            return UserError(f"process {number} of trainer.devices failed: {said}; see {log}")
    return None


def _watch(others: list[Process], logs: Path, ended: threading.Event) -> None:
    """End this process if another one has died and it does not notice: it would wait for ever."""
    while not ended.wait(1.0):
        failure = _failure(others, logs, 0.0)
        if failure is not None and not ended.wait(GRACE):
            print(f"fer: error: {failure}", file=sys.stderr, flush=True)
            os._exit(1)


def of_all_ranks(value: Any) -> list[Any]:
    """``value`` of every rank, in their order."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def mean_over_ranks(values: Mapping[str, Tensor]) -> dict[str, float]:
    """Means of named scalars over all ranks, each of which has the same names."""
    if not values:
        return {}
    stacked = torch.stack([value.detach().to(torch.float64) for value in values.values()])
    if dist.is_initialized():
        dist.all_reduce(stacked)
        stacked /= dist.get_world_size()
    return dict(zip(values, stacked.tolist(), strict=True))


def any_rank() -> Callable[[bool], bool]:
    """A function that says whether any rank was given True; all ranks call it together.

    It talks over the CPU, so that no GPU has to be waited for.
    """
    if not dist.is_initialized():
        return bool
    group: Any = dist.new_group(backend="gloo", timeout=PATIENCE)

    def agree(mine: bool) -> bool:
        flag = torch.tensor([int(mine)])
        dist.all_reduce(flag, dist.ReduceOp.MAX, group)
        return bool(flag.item())

    return agree


def check_same_run(digest: str) -> None:
    """Refuse to train one run from two configurations.

    Args:
        digest: Hash of what this process is about to train.

    Raises:
        UserError: If ranks differ.
    """
    digests = of_all_ranks(digest)
    if len(set(digests)) > 1:
        raise UserError(
            f"processes of one run were started with different configurations ({digests}): start "
            "all with the same command, and sweep with hydra/launcher=pool"
        )
