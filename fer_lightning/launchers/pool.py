"""``hydra/launcher=pool``: the cells of a sweep side by side on this machine, each on its own GPU.

A small GAN leaves most of a GPU or of the cores idle, so that N runs at a time finish sooner than
N devices that share each run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from fer_lightning.launchers.cells import Cell, Pool
from fer_lightning.launchers.slots import make_slots
from fer_lightning.launchers.sweeps import cells_of, conclude

TARGET = "hydra_plugins.fer_lightning.PoolLauncher"


@dataclass
class PoolConfig:
    """Keys below ``hydra.launcher``.

    Attributes:
        slots: Cells at a time; None for as many as there are GPUs, or cores for.
        threads_per_cell: Cores a process, on a machine without GPUs.
        devices_per_cell: GPUs a cell; processes a cell on a machine without GPUs.
    """

    _target_: str = TARGET
    slots: int | None = None
    threads_per_cell: int = 2
    devices_per_cell: int = 1


def register() -> None:
    """Make ``hydra/launcher=pool`` known to Hydra."""
    ConfigStore.instance().store(
        group="hydra/launcher", name="pool", node=PoolConfig, provider="fer_lightning"
    )
    # Hydra takes launchers only from modules below hydra_plugins, which it imports, all of them,
    # at every start; so the class is entered here under a name that would be there.
    Plugins.instance().class_name_to_class[TARGET] = PoolLauncher


class PoolLauncher(Launcher):
    """Runs each cell as a process of its own; see :class:`PoolConfig` for the arguments."""

    def __init__(
        self, slots: int | None = None, threads_per_cell: int = 2, devices_per_cell: int = 1
    ) -> None:
        self._wanted = (slots, threads_per_cell, devices_per_cell)
        self.config = DictConfig({})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take the configuration of the sweep; cells compose their own."""
        self.config = config
        # Not in __init__, in which Hydra would wrap a user's mistake into an error of its own.
        self.slots = make_slots(*self._wanted)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run a cell for every list of overrides, and wait for all.

        Raises:
            SweepInterrupted: If the user stopped it, once all cells have ended.
        """
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        folder = Path(self.config.hydra.sweep.dir) / "pool" / f"{stamp}-{os.getpid()}"
        cells = self.cells(job_overrides, initial_job_idx)
        pool = Pool(self.slots, folder)
        outcomes = pool.run(cells)
        return conclude(self.config, outcomes, job_overrides, interrupted=pool.interrupts > 0)

    def cells(self, job_overrides: Sequence[Sequence[str]], first: int) -> list[Cell]:
        """The cells of the sweep, numbered from ``first``."""
        return cells_of(self.config, job_overrides, first)
