"""What Hydra sees of the pool."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from fer_lightning.errors import UserError
from fer_lightning.launchers.cells import Cell
from fer_lightning.launchers.pool import TARGET, PoolConfig, PoolLauncher, register
from fer_lightning.launchers.sweeps import SweepInterrupted

FAILS = "print('fer: error: model.width=0: no'); raise SystemExit(2)"


class Programs(PoolLauncher):
    """Runs ``python -c <last override>`` in place of a job."""

    def cells(self, job_overrides: Sequence[Sequence[str]], first: int) -> list[Cell]:
        return [
            replace(cell, command=[sys.executable, "-c", overrides[-1].partition("=")[2]])
            for cell, overrides in zip(
                super().cells(job_overrides, first), job_overrides, strict=True
            )
        ]


def config(**hydra: Any) -> DictConfig:
    plain = {
        "mode": RunMode.MULTIRUN,
        "launcher": OmegaConf.structured(PoolConfig(slots=2)),
        "sweep": {"dir": "multirun/.hydra"},
        "job": {"name": "fer", "config_name": "train"},
        "overrides": {"hydra": ["hydra.mode=MULTIRUN"], "task": []},
        "runtime": {"config_sources": []},
    }
    return OmegaConf.create({"hydra": plain | hydra})


def set_up(launcher: PoolLauncher, composed: DictConfig) -> PoolLauncher:
    context: HydraContext = None  # type: ignore[assignment]
    launcher.setup(hydra_context=context, task_function=lambda _: None, config=composed)
    return launcher


@pytest.fixture(autouse=True)
def _on_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_hydra_makes_one_from_its_configuration() -> None:
    register()
    assert Plugins.is_in_toplevel_plugins_module(TARGET)
    made = Plugins.instance().instantiate_launcher(
        hydra_context=None,  # type: ignore[arg-type]
        task_function=lambda _: None,
        config=config(),
    )
    assert isinstance(made, PoolLauncher)
    assert len(made.slots) == 2


def test_impossible_keys_are_a_user_error() -> None:
    with pytest.raises(UserError, match=r"hydra\.launcher\.slots=0"):
        set_up(PoolLauncher(slots=0), config())


def test_a_failed_cell_raises_when_all_have_run(capfd: pytest.CaptureFixture[str]) -> None:
    launcher = set_up(Programs(slots=2), config())
    overrides = [["model=cgan", f"seed={program}"] for program in (FAILS, "pass")]
    failed, done = launcher.launch(overrides, initial_job_idx=4)
    assert (failed.status, done.status) == (JobStatus.FAILED, JobStatus.COMPLETED)
    assert done.return_value is None
    assert done.overrides == overrides[1]
    assert done.task_name == "fer"
    with pytest.raises(
        UserError, match=r"^seed=print.*: model\.width=0: no; see multirun/.*4\.log"
    ):
        _ = failed.return_value
    errors = capfd.readouterr().err
    assert "fer: 1 of 2 cells done, 1 failed\n  #4 seed=print" in errors
    assert "Error executing" not in errors
    assert len(list(Path("multirun/.hydra/pool").glob("*/[45].log"))) == 2


def test_an_interrupted_sweep_says_what_had_ended() -> None:
    launcher = set_up(Programs(slots=1), config())
    interrupts = "import os; os.kill(os.getppid(), 2)"
    overrides = [["a=pass"], [f"a={FAILS}"], [f"a={interrupts}; __import__('time').sleep(60)"]]
    with pytest.raises(SweepInterrupted) as raised:
        launcher.launch([*overrides, ["a=pass"]], initial_job_idx=0)
    assert isinstance(raised.value, KeyboardInterrupt)
    done, failed, *others = raised.value.returned
    assert done is not None
    assert failed is not None
    assert (done.status, failed.status) == (JobStatus.COMPLETED, JobStatus.FAILED)
    assert others == [None, None]
