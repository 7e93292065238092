"""What a cell of the pool runs on: its GPUs or cores, and the environment that gives it those."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fer_lightning.errors import UserError
from fer_lightning.launchers.report import VARIABLE
from fer_lightning.launchers.tasks import VARIABLE as TASKS

INHERITED = (
    "LOCAL_RANK",
    "NODE_RANK",
    "WORLD_SIZE",
    "RANK",
    "MASTER_ADDR",
    "WANDB_RUN_ID",
    "WANDB_SERVICE",
    TASKS,
    "HYDRA_FULL_ERROR",  # ours is set while Hydra runs; a cell would print tracebacks
)
"""Variables that a cell must not have from us, or it would join another's run."""

_GPU = re.compile(r"\d+|(GPU|MIG)-.+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one cell at a time.

    Attributes:
        number: From 0.
        devices: Entries for ``CUDA_VISIBLE_DEVICES``; none on a machine without GPUs.
        threads: Threads of each of its processes where there are no GPUs.
    """

    number: int
    devices: tuple[str, ...]
    threads: int


def make_slots(slots: int | None, threads_per_cell: int, devices_per_cell: int) -> list[Slot]:
    """Share out the GPUs, or the cores where there are none.

    Args:
        slots: How many; None for as many as the machine has devices for. More than that share
            GPUs in turn.
        threads_per_cell: Cores a process, on a machine without GPUs.
        devices_per_cell: GPUs a cell; processes a cell where there are none.

    Raises:
        UserError: If a number is impossible on this machine.
    """
    numbers = {"slots": slots, "threads_per_cell": threads_per_cell}
    for name, number in {**numbers, "devices_per_cell": devices_per_cell}.items():
        if number is not None and number < 1:
            raise UserError(f"hydra.launcher.{name}={number}: pass 1 or more")
    gpus = visible_gpus()
    if not gpus:
        fitting = max(1, core_count() // (threads_per_cell * devices_per_cell))
        return [Slot(number, (), threads_per_cell) for number in range(slots or fitting)]
    fitting = len(gpus) // devices_per_cell
    if fitting == 0:
        raise UserError(
            f"hydra.launcher.devices_per_cell={devices_per_cell}: there are {len(gpus)} GPUs here"
        )
    shares = [gpus[i * devices_per_cell :][:devices_per_cell] for i in range(fitting)]
    return [
        Slot(number, tuple(shares[number % fitting]), threads_per_cell)
        for number in range(slots or fitting)
    ]


def visible_gpus() -> list[str]:
    """Names of the GPUs that we may use, as ``CUDA_VISIBLE_DEVICES`` takes them.

    Torch is not asked: it takes seconds to import, and memory on the GPU that it counts.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        gpus = []
        for entry in (part.strip() for part in named.split(",")):
            if not _GPU.fullmatch(entry):
                break  # CUDA ignores what follows an entry that names nothing, such as -1
            gpus.append(entry)
        return gpus
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            "nvidia-smi -L does not answer: name the GPUs with CUDA_VISIBLE_DEVICES=0,1,…, or "
            "none with CUDA_VISIBLE_DEVICES="
        ) from error
    # It fails on machines that have the tool without a GPU, such as a cluster's front end.
    return _listed(listed.stdout) if listed.returncode == 0 else []


def _listed(text: str) -> list[str]:
    """GPUs by number; a GPU that is cut into MIG parts only as those, for CUDA takes no other."""
    gpus: list[str] = []
    whole: str | None = None
    for line in text.splitlines():
        if gpu := re.match(r"GPU (\d+):", line):
            whole = gpu[1]
            gpus.append(whole)
        elif part := re.search(r"UUID: (MIG-[^)\s]+)", line):
            if gpus and gpus[-1] == whole:
                gpus.pop()
            gpus.append(part[1])
    return gpus


def core_count() -> int:
    """Cores that this process may use; fewer than the machine's under taskset or SLURM.

    In a job that has several tasks for one run, those of all of them.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    tasks = int(os.environ["SLURM_NTASKS"]) if TASKS in os.environ else 1
    # Where the cluster binds no tasks to cores, one alone has the whole node.
    return min(len(os.sched_getaffinity(0)) * tasks, os.cpu_count() or 1)


def cell_environment(
    slot: Slot, port: int, result: Path, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a cell.

    Args:
        slot: Where it runs.
        port: Where its processes meet if it has several.
        result: File for what it returns.
        inherited: Our own environment.
    """
    environment = {name: value for name, value in inherited.items() if name not in INHERITED}
    environment |= {
        "MASTER_PORT": str(port),
        VARIABLE: str(result.absolute()),
        "PYTHONUNBUFFERED": "1",  # its log can be followed, and is whole if it is killed
    }
    if slot.devices:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(slot.devices)
    else:
        environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(slot.threads)
    return environment


def free_port(taken: Collection[int]) -> int:
    """A TCP port that nobody listens to now and no other cell was given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
