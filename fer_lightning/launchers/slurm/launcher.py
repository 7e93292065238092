"""Submits the cells of a sweep by hydra-submitit-launcher, and waits for them.

Nothing here imports torch: the submitting process runs on a login node, for days.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from hydra.core.utils import JobReturn
from hydra.types import HydraContext, TaskFunction
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf  # type: ignore[import-untyped]
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import (  # type: ignore[import-untyped]
    SlurmLauncher as SubmititLauncher,
)
from omegaconf import DictConfig, OmegaConf

from fer_lightning.errors import UserError
from fer_lightning.launchers.cells import Cell
from fer_lightning.launchers.slurm import queue
from fer_lightning.launchers.slurm.cell import Guard
from fer_lightning.launchers.slurm.orders import Order, read_orders, write_orders
from fer_lightning.launchers.slurm.watch import Watch
from fer_lightning.launchers.sweeps import cells_of, conclude

LARGEST = 1000
"""Jobs of an array; SLURM takes 1001 where a cluster has not set another number."""
COMMON = {field.name for field in fields(BaseQueueConf)}
"""Keys that submitit has for all kinds of clusters."""
APART = ("submitit_folder", "max_num_timeout", "name", "tasks_per_node", "gpus_per_node")
"""Keys that we hand over otherwise."""


class SlurmLauncher(SubmititLauncher):  # type: ignore[misc]
    """Runs each cell as a job of its own, with a task for each of its devices.

    The keys are the plugin's (``submitit_slurm``).
    """

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take the configuration of the sweep.

        Raises:
            UserError: If there is no SLURM here, or a key cannot be followed.
        """
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        if shutil.which("sbatch") is None:
            raise UserError(
                "hydra/launcher=slurm: there is no sbatch here; start this on the cluster's login "
                "node, or run the cells on this machine with hydra/launcher=pool"
            )
        if self.params["nodes"] != 1:
            raise UserError(
                f"hydra.launcher.nodes={self.params['nodes']}: the devices of a run are those of "
                "one node; leave it at 1, and share the work between runs"
            )
        if self.params["signal_delay_s"] >= 60 * self.params["timeout_min"]:
            raise UserError(
                f"hydra.launcher.signal_delay_s={self.params['signal_delay_s']} is no time within "
                f"hydra.launcher.timeout_min={self.params['timeout_min']}: give less"
            )

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit a job for every list of overrides, and wait for all.

        What an earlier start of the same command has submitted, and nobody has waited for since,
        is waited for and not submitted again.

        Raises:
            SweepInterrupted: If the user stopped waiting; the jobs go on.
            UserError: If SLURM does not take the jobs.
        """
        cells = cells_of(self.config, job_overrides, initial_job_idx)
        needs = {
            cell.number: self._needs(cell, overrides)
            for cell, overrides in zip(cells, job_overrides, strict=True)
        }
        watch = Watch(cells)
        with watch.interruptible():
            self._root.mkdir(parents=True, exist_ok=True)
            with FileLock(self._root / ".lock"):  # another command may want the same cells
                self._submit_missing(cells, needs, watch)
            watch.wait()
        return conclude(self.config, watch.outcomes(), job_overrides, interrupted=watch.interrupted)

    @property
    def _root(self) -> Path:
        return Path(self.params["submitit_folder"]).absolute()

    def _submit_missing(
        self, cells: Sequence[Cell], needs: Mapping[int, tuple[int, int]], watch: Watch
    ) -> None:
        """Submit the cells that SLURM does not know, those with equal needs together."""
        for cell, order in self._submitted_before(cells):
            watch.add(cell, order)
            watch.say([cell], "is known to SLURM from an earlier start")
        groups: dict[tuple[int, int], list[Cell]] = {}
        for cell in cells:
            if cell.number not in watch.orders:
                groups.setdefault(needs[cell.number], []).append(cell)
        for (tasks, gpus), members in groups.items():
            for first in range(0, len(members), LARGEST):
                self._submit(members[first : first + LARGEST], tasks, gpus, watch)

    def _submitted_before(self, cells: Sequence[Cell]) -> list[tuple[Cell, Order]]:
        """Cells with jobs that live, or have ended well without anybody to see it."""
        wanted = {tuple(cell.command): cell for cell in cells}
        there: dict[tuple[str, int], queue.Entry] | None = None
        found: list[tuple[Cell, Order]] = []
        for order in read_orders(self._root):
            cell = wanted.get(tuple(order.command))
            if cell is None:
                continue
            if order.collected.exists():  # so nothing before it is of interest
                del wanted[tuple(order.command)]
                continue
            ended = order.read_end()
            if ended is None:
                there = queue.jobs() if there is None else there
                entry = there.get((order.name, order.index))
                if entry is None or not entry.alive:
                    continue
            elif ended[0]:
                continue  # it failed, so it is tried again
            found.append((cell, order))
            del wanted[tuple(order.command)]
        return found

    def _needs(self, cell: Cell, overrides: Sequence[str]) -> tuple[int, int]:
        """Tasks and GPUs of a cell.

        Raises:
            UserError: If the keys for them contradict each other.
        """
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        devices = OmegaConf.select(config, "trainer.devices", default=1)
        tasks, given = self.params["tasks_per_node"], self.params["gpus_per_node"]
        if tasks not in (1, devices):
            raise UserError(
                f"{cell.label}: hydra.launcher.tasks_per_node={tasks}, but "
                f"trainer.devices={devices}: leave out the first, which follows the second"
            )
        if given is not None:
            if 0 < given < devices:
                raise UserError(
                    f"{cell.label}: hydra.launcher.gpus_per_node={given}, but "
                    f"trainer.devices={devices}: leave out the first, which follows the second"
                )
            return devices, given
        keys = ("trainer.accelerator", "accelerator")
        asked = [OmegaConf.select(config, key, default=None) for key in keys]
        return devices, devices if next(filter(None, asked), "cpu") != "cpu" else 0

    def _submit(self, cells: Sequence[Cell], tasks: int, gpus: int, watch: Watch) -> None:
        """Submit an array of cells that need the same."""
        import submitit

        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f") + f"-{os.getpid()}"
        orders = [
            Order(
                folder=self._root / stamp,
                name=f"{self.config.hydra.job.config_name}-{stamp}",
                index=index,
                command=list(cell.command),
                minutes=self.params["timeout_min"],
                warning_seconds=self.params["signal_delay_s"],
                queued_again=self.params["max_num_timeout"],
            )
            for index, cell in enumerate(cells)
        ]
        write_orders(orders)
        for cell, order in zip(cells, orders, strict=True):
            watch.add(cell, order)  # before they are in the queue: Ctrl-C may come in between
        executor = submitit.AutoExecutor(
            orders[0].folder / "submitit",
            cluster="slurm",
            slurm_max_num_timeout=self.params["max_num_timeout"],
        )
        executor.update_parameters(
            **_parameters(self.params),
            name=orders[0].name,
            tasks_per_node=tasks,
            gpus_per_node=gpus or None,
        )
        try:
            executor.map_array(Guard(), orders)
        except submitit.core.utils.FailedJobError as error:
            said = [line.strip() for line in str(error).splitlines() if "error:" in line]
            raise UserError(
                f"SLURM does not take the jobs ({said[-1] if said else error}): change "
                "hydra.launcher.* (partition, account, timeout_min, gpus_per_node, mem_gb, …)"
                f"{watch.left() if len(watch.orders) > len(cells) else ''}"
            ) from error
        watch.say(cells, f"submitted with {tasks} {'task' if tasks == 1 else 'tasks'}")


def _parameters(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The plugin's keys as submitit takes them, with what our jobs need besides."""
    given = {name: value for name, value in keys.items() if name not in APART}
    given["setup"] = [
        *(given.get("setup") or ()),
        # Since 22.05 srun does not take the number from sbatch.
        'if [ -n "$SLURM_CPUS_PER_TASK" ]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi',
        "export SLURM_KILL_BAD_EXIT=1",  # no task waits for another that was killed
    ]
    given["additional_parameters"] = {"requeue": True, **(given.get("additional_parameters") or {})}
    return {name if name in COMMON else f"slurm_{name}": value for name, value in given.items()}
