"""What our launchers share: the command line of a cell, and what Hydra is told of its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import RunMode
from omegaconf import DictConfig

from fer_lightning.errors import UserError
from fer_lightning.launchers.cells import Cell, Outcome

OURS = ("hydra/launcher=", "hydra.launcher.", "hydra/sweeper=", "hydra.sweep", "hydra.mode=")
"""Beginnings of the overrides that are for the sweep and not for its cells."""
WORDS = {
    "failed": "failed",
    "stopped": "stopped",
    "waiting": "not started",
    "queued": "go on in the queue",
}
"""States of cells that are not done, as the summary calls them."""


class CellReturn(JobReturn):
    """Raises the error of a failed cell without Hydra's line before it: we have said more."""

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
    """Ctrl-C over a sweep.

    Attributes:
        returned: What the cells came to, in their order; None for one that was stopped, goes on
            in a queue, or was never started.
    """

    def __init__(self, returned: Sequence[JobReturn | None]) -> None:
        super().__init__()
        self.returned = returned


def cells_of(
    config: DictConfig, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
) -> list[Cell]:
    """The cells of a sweep.

    Args:
        config: The sweep's configuration.
        job_overrides: A list of overrides a cell.
        initial_job_idx: Number of the first one.
    """
    labels = _labels(job_overrides)
    return [
        Cell(initial_job_idx + i, labels[i], command(config, overrides))
        for i, overrides in enumerate(job_overrides)
    ]


def command(config: DictConfig, overrides: Sequence[str]) -> list[str]:
    """The command line of a cell.

    Args:
        config: The sweep's configuration.
        overrides: The cell's.
    """
    hydra = config.hydra
    arguments = config_dirs(hydra)
    everything = (*hydra.overrides.hydra, *overrides)
    arguments += [o for o in everything if not o.lstrip("+~").startswith(OURS)]
    if hydra.mode is RunMode.MULTIRUN and "hydra.mode=MULTIRUN" not in hydra.overrides.hydra:
        arguments.append("hydra.mode=RUN")  # from a file, which the cell reads too
    return [sys.executable, "-m", "fer_lightning", hydra.job.config_name, *arguments]


def config_dirs(hydra: Any) -> list[str]:
    """``--config-dir DIR`` of a command line, as words: what it starts composes from there, too.

    Args:
        hydra: Hydra's own configuration in a job.
    """
    return [
        word
        for source in hydra.runtime.config_sources
        if source.provider == "command-line"
        for word in ("--config-dir", source.path)
    ]


def conclude(
    config: DictConfig,
    outcomes: Sequence[Outcome],
    job_overrides: Sequence[Sequence[str]],
    *,
    interrupted: bool,
) -> list[JobReturn]:
    """Tell the user, and Hydra, what became of all cells.

    Args:
        config: The sweep's configuration.
        outcomes: Of each cell.
        job_overrides: A list of overrides a cell.
        interrupted: Whether the user stopped the sweep.

    Raises:
        SweepInterrupted: If so.
    """
    print(summary(outcomes), file=sys.stderr)
    returned = [
        _job_return(config, outcome, overrides)
        for outcome, overrides in zip(outcomes, job_overrides, strict=True)
    ]
    if interrupted:
        raise SweepInterrupted(
            [
                one if outcome.state in ("done", "failed") else None
                for one, outcome in zip(returned, outcomes, strict=True)
            ]
        )
    return returned


def _job_return(config: DictConfig, outcome: Outcome, overrides: Sequence[str]) -> JobReturn:
    done = CellReturn(
        overrides=list(overrides),
        working_dir=os.getcwd(),
        task_name=config.hydra.job.name,
        status=JobStatus.COMPLETED if outcome.state == "done" else JobStatus.FAILED,
    )
    if outcome.state == "done":
        done.return_value = outcome.result
    else:
        done.return_value = error = UserError(_said(outcome))
        error.run = None if outcome.result is None else outcome.result.path
    return done


def summary(outcomes: Sequence[Outcome]) -> str:
    """What became of all cells, and where to read about those that are not done."""
    states: list[str] = [outcome.state for outcome in outcomes]
    counts = [f"{states.count('done')} of {len(states)} cells done"]
    counts += [f"{states.count(state)} {word}" for state, word in WORDS.items() if state in states]
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
