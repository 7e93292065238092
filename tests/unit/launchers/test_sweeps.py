"""The command line of a cell."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from fer_lightning.launchers.sweeps import cells_of, command

FER = [sys.executable, "-m", "fer_lightning", "train"]


def sweep(given: Sequence[str], *sources: dict[str, str]) -> DictConfig:
    """The configuration of a sweep."""
    hydra = {
        "mode": RunMode.MULTIRUN,
        "job": {"config_name": "train"},
        "overrides": {"hydra": list(given), "task": []},
        "runtime": {"config_sources": list(sources)},
    }
    return OmegaConf.create({"hydra": hydra})


def test_a_cell_gets_the_overrides_that_are_meant_for_it() -> None:
    given = [
        "hydra/launcher=pool",
        "hydra.launcher.slots=2",
        "++hydra.launcher.slots=3",
        "hydra.sweep.dir=elsewhere",
        "hydra.sweeper.max_batch_size=1",
        "hydra.mode=MULTIRUN",
        "hydra.verbose=true",
    ]
    sources = [{"provider": "main", "path": "conf"}, {"provider": "command-line", "path": "/mine"}]
    assert command(sweep(given, *sources), ["model=cgan", "seed=1"]) == [
        *FER, "--config-dir", "/mine", "hydra.verbose=true", "model=cgan", "seed=1",
    ]  # fmt: skip


def test_a_sweep_asked_for_in_a_file_does_not_sweep_again() -> None:
    assert command(sweep([]), ["seed=1"])[-1] == "hydra.mode=RUN"


def test_cells_are_told_apart_by_what_differs() -> None:
    given = ["hydra.mode=MULTIRUN"]
    several = cells_of(sweep(given), [["model=cgan", "seed=1"], ["model=cgan", "seed=2"]], 4)
    assert [(cell.number, cell.label) for cell in several] == [(4, "seed=1"), (5, "seed=2")]
    assert several[1].command == [*FER, "model=cgan", "seed=2"]
    (one,) = cells_of(sweep(given), [["model=cgan", "seed=1"]], 0)
    assert one.label == "model=cgan seed=1"
