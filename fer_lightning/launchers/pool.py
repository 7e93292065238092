"""``hydra/launcher=pool``: the cells of a sweep side by side on this machine, each on its own GPU.

A small GAN leaves most of a GPU or of the cores idle, so that N runs at a time finish sooner than
N devices that share each run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

from fer_lightning.errors import UserError
from fer_lightning.launchers.cells import Cell, Outcome, Pool
from fer_lightning.launchers.slots import make_slots

TARGET = "hydra_plugins.fer_lightning.PoolLauncher"
OURS = ("hydra/launcher=", "hydra.launcher.", "hydra/sweeper=", "hydra.sweep", "hydra.mode=")
"""Beginnings of the overrides that are for the sweep and not for its cells."""


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


class CellReturn(JobReturn):
    """Raises the error of a failed cell without Hydra's line before it: the pool has said more."""

    @property
    def return_value(self) -> Any:
        """What the cell reported.

        Raises:
            UserError: If it failed or was stopped.
        """
        if isinstance(self._return_value, UserError):
            raise self._return_value
        return self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C over a sweep, once all cells have ended.

    Attributes:
        returned: What the cells came to, in their order; None for one that was stopped or never
            started.
    """

    def __init__(self, returned: Sequence[JobReturn | None]) -> None:
        super().__init__()
        self.returned = returned


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
        cells = [
            Cell(initial_job_idx + i, label, self.command(overrides))
            for i, (overrides, label) in enumerate(
                zip(job_overrides, _labels(job_overrides), strict=True)
            )
        ]
        pool = Pool(self.slots, folder)
        outcomes = pool.run(cells)
        print(summary(outcomes), file=sys.stderr)
        returned = [
            self._job_return(outcome, overrides)
            for outcome, overrides in zip(outcomes, job_overrides, strict=True)
        ]
        if pool.interrupts:
            raise SweepInterrupted(
                [
                    one if outcome.state in ("done", "failed") else None
                    for one, outcome in zip(returned, outcomes, strict=True)
                ]
            )
        return returned

    def command(self, overrides: Sequence[str]) -> list[str]:
        """The command line of a cell."""
        hydra = self.config.hydra
        arguments = [
            word
            for source in hydra.runtime.config_sources
            if source.provider == "command-line"
            for word in ("--config-dir", source.path)
        ]
        everything = (*hydra.overrides.hydra, *overrides)
        arguments += [o for o in everything if not o.lstrip("+~").startswith(OURS)]
        if hydra.mode is RunMode.MULTIRUN and "hydra.mode=MULTIRUN" not in hydra.overrides.hydra:
            arguments.append("hydra.mode=RUN")  # from a file, which the cell reads too
        return [sys.executable, "-m", "fer_lightning", hydra.job.config_name, *arguments]

    def _job_return(self, outcome: Outcome, overrides: Sequence[str]) -> JobReturn:
        done = CellReturn(
            overrides=list(overrides),
            working_dir=os.getcwd(),
            task_name=self.config.hydra.job.name,
            status=JobStatus.COMPLETED if outcome.state == "done" else JobStatus.FAILED,
        )
        done.return_value = outcome.result if outcome.state == "done" else UserError(_said(outcome))
        return done


def summary(outcomes: Sequence[Outcome]) -> str:
    """What became of all cells, and where to read about those that are not done."""
    states = [outcome.state for outcome in outcomes]
    counts = [f"{states.count('done')} of {len(states)} cells done"]
    counts += [
        f"{states.count(state)} {word}"
        for state, word in (("failed",) * 2, ("stopped",) * 2, ("waiting", "not started"))
        if state in states
    ]
    lines = [f"#{o.cell.number} {_said(o)}" for o in outcomes if o.state in ("failed", "stopped")]
    return "\n  ".join(["fer: " + ", ".join(counts), *lines])


def _said(outcome: Outcome) -> str:
    what = outcome.error or f"{outcome.state}; the same command goes on where it was"
    return f"{outcome.cell.label}: {what}; see {outcome.log}"


def _labels(job_overrides: Sequence[Sequence[str]]) -> list[str]:
    """A cell's overrides without those that all cells have; all of them for a single cell."""
    shared = set(job_overrides[0]).intersection(*job_overrides) if len(job_overrides) > 1 else ()
    return [
        " ".join(o for o in overrides if o not in shared) or " ".join(overrides)
        for overrides in job_overrides
    ]
