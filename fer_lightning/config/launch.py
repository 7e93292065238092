"""Hands a job to Hydra."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.config.compose import to_typed
from fer_lightning.config.mistakes import (
    explain,
    keys_of_job,
    nothing_chosen,
    of_empty_slot,
    slots_of,
)
from fer_lightning.config.objective import objectives
from fer_lightning.config.quoting import path_keys, quote, quote_paths
from fer_lightning.config.registration import JOB_SCHEMAS, register
from fer_lightning.errors import UserError, mendable
from fer_lightning.launchers.report import report
from fer_lightning.registry import REGISTRIES
from fer_lightning.runs import JobResult

CHOICES = ("data", "detector", "model", "feature", "logger", "study")
"""Groups of which one has to be chosen."""
VALUE_FLAGS = {"--cfg", "-c", "--info", "-i", "--package", "-p", "--config-dir", "-cd"}
"""Flags of Hydra's that a word may follow."""

PLAIN_TEXT = {"compare": {"study": "study_run", "baseline": "baseline"}}
"""Keys of a job that take any text, and their names for Hydra, which misreads them: it takes
``study=`` for a choice from the group of that name, and cannot read ``baseline=key=value``."""


def task_of(job: str) -> Callable[[DictConfig], Any]:
    """What Hydra runs for a job: its ``run``, imported only when its configuration is checked."""

    def task(composed: DictConfig) -> Any:
        typed = to_typed(composed)
        _refuse_shared_process(composed)
        refuse_dropped(composed, HydraConfig.get().overrides.task)
        wanted = typed.objective if hasattr(typed, "objective") else None
        _refuse_aimless(typed)
        try:
            result = import_module(f"fer_lightning.jobs.{job}").run(typed)
        except UserError as error:
            if error.run is not None:
                report(JobResult(error.run, status=1))
            raise
        # Further processes of a run on several devices measure nothing.
        if wanted is not None and result.status == 0 and result.metrics:
            result = replace(result, objectives=objectives(wanted, result.metrics))
        report(result)
        return result

    return task


def refuse_dropped(composed: DictConfig, overrides: Iterable[str]) -> None:
    """Keys of ``data`` beside ``domains``, which takes its place, would be of no effect."""
    if OmegaConf.select(composed, "domains", default=None) is None:
        return
    for override in overrides:
        if re.match(r"\+*(data[.=]|[\w]+@data\.)", override):
            raise UserError(
                f"{override} has no effect beside domains: the faces are those of "
                "data@domains.source= and data@domains.target=, whose keys are domains.source.* "
                "and domains.target.*"
            )


def _refuse_shared_process(composed: DictConfig) -> None:
    """Several devices under Hydra's basic launcher, which runs all cells in this one process.

    Its second cell would inherit the first one's process group, and its other ranks would repeat
    the whole sweep.
    """
    hydra, devices = HydraConfig.get(), OmegaConf.select(composed, "trainer.devices", default=1)
    basic = hydra.runtime.choices.get("hydra/launcher") == "basic"
    if devices > 1 and basic and hydra.mode is RunMode.MULTIRUN:
        raise UserError(
            f"trainer.devices={devices} in a sweep needs a process group a cell: add "
            f"hydra/launcher=pool hydra.launcher.devices_per_cell={devices}"
        )


def _searches() -> bool:
    """Whether a sweeper chooses the cells by what those before them came to."""
    hydra = HydraConfig.get()
    basic = hydra.runtime.choices.get("hydra/sweeper") in (None, "basic")
    return hydra.mode is RunMode.MULTIRUN and not basic


def _refuse_aimless(typed: Any) -> None:
    """A search without an objective, which would run for nothing."""
    if not _searches():
        return
    if not hasattr(typed, "objective"):
        able = sorted(job for job, schema in JOB_SCHEMAS.items() if hasattr(schema, "objective"))
        raise UserError(
            f"this job has no objective= that a search could go by; {', '.join(able)} have one"
        )
    if typed.objective is None:
        raise UserError(
            "a search needs something to go by: pass objective=NAME, the name of a metric that "
            "the job measures, such as objective=val_macro_f1"
        )


def launch(job: str, arguments: Sequence[str], conf: Path) -> int:
    """Compose ``conf/<job>.yaml`` with the user's overrides and run the job on the result.

    Returns:
        The exit status: 0, what the task asked for, or 2 after a mistake of the user's.

    Raises:
        UserError: For every mistake in the overrides.
    """
    register()
    components = [r.load(name) for r in REGISTRIES for name in r.names()]
    arguments = _quote_text(arguments, PLAIN_TEXT.get(job, {}))
    overrides = _flags_first(quote_paths(arguments, path_keys([JOB_SCHEMAS[job], *components])))
    overrides += _of_archives(job, overrides, conf)
    _refuse_choices(overrides)
    statuses: list[int] = []
    mistakes: list[str] = []
    failed_trials: list[str] = []
    command = list(sys.argv)
    wanted = os.environ.get("HYDRA_FULL_ERROR", "0")
    task = task_of(job)

    def run_cell(composed: DictConfig) -> Any:
        sys.argv = command
        os.environ["HYDRA_FULL_ERROR"] = wanted  # for processes that the job starts
        try:
            result = task(composed)
        except BrokenPipeError:  # whoever read our lines has gone, as in `fer study … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            statuses.append(1)
            return None
        except Exception as error:
            mistake = mendable(error)
            if mistake is None:
                raise
            mistakes.append(f"{' '.join(HydraConfig.get().overrides.task)}: {mistake}")
            if _searches():
                failed_trials.append(mistakes[-1])
            print(f"fer: error: {mistake}", file=sys.stderr)
            return None  # a sweep goes on with its other cells
        finally:
            os.environ["HYDRA_FULL_ERROR"] = "1"
        statuses.append(getattr(result, "status", 0))
        if statuses[-1] and HydraConfig.get().mode is RunMode.MULTIRUN:
            raise KeyboardInterrupt  # Ctrl-C is meant for the whole sweep
        return result

    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints and exits before we can explain
    sys.argv = [command[0], *overrides]
    try:
        hydra.main(version_base="1.3", config_path=str(conf), config_name=job)(run_cell)()
    except (HydraException, OmegaConfBaseException) as error:
        if wanted == "1":
            raise
        raise UserError(explain(error, job, lambda: keys_of_job(job, overrides, conf))) from error
    except AssertionError as error:
        if not of_empty_slot(error) or wanted == "1":
            raise
        raise UserError(nothing_chosen(job, overrides, conf)) from error
    except ValueError as error:
        # Sweepers that search say so of a trial that has failed.
        if wanted == "1" or not (failed_trials or "No trials are completed" in str(error)):
            raise
        said = failed_trials[-1] if failed_trials else "no trial came to its objective"
        raise UserError(f"the search has ended early: {said}") from error
    finally:
        sys.argv = command
        os.environ["HYDRA_FULL_ERROR"] = wanted
    cells = len(statuses) + len(mistakes)
    if mistakes and cells > 1:
        lines = "\n  ".join(mistakes)
        print(f"fer: {len(mistakes)} of {cells} jobs failed:\n  {lines}", file=sys.stderr)
    return 2 if mistakes else max(statuses, default=0)


def _quote_text(arguments: Sequence[str], keys: Mapping[str, str]) -> list[str]:
    """Rename and quote the values of ``keys``."""
    quoted: list[str] = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        is_text = bool(equals) and key in keys and value != "null"
        quoted.append(f"{keys[key]}={quote(value)}" if is_text else argument)
    return quoted


def _of_archives(job: str, overrides: Sequence[str], conf: Path) -> list[str]:
    """A choice for data slots in which nothing stands but an archive: that needs no corpus."""
    if any(override.startswith("experiment=") for override in overrides):
        return []  # which may have chosen
    empty = (slot for slot, value in slots_of(job, conf).items() if value is None)
    keys = {override.partition("=")[0] for override in overrides}
    return [
        f"{slot}=folder"
        for slot in empty
        if slot.partition("@")[0] == "data" and slot not in keys
        if f"{slot.rpartition('@')[2]}.archive" in keys
    ]


def _flags_first(arguments: Sequence[str]) -> list[str]:
    """Flags before overrides: Hydra's parser does not take them in between."""
    flags: list[str] = []
    overrides: list[str] = []
    for argument in arguments:
        is_value = flags and flags[-1] in VALUE_FLAGS and "=" not in argument
        target = flags if argument.startswith("-") or is_value else overrides
        target.append(argument)
    return flags + overrides


def _refuse_choices(overrides: Sequence[str]) -> None:
    """Choices that Hydra takes wrongly: ``data=[a,b]`` keeps b alone, without a word."""
    for override in overrides:
        group, _, value = override.partition("=")
        if group in CHOICES and value == "null":
            raise UserError(f"{override}: choose one, or leave it out; `fer --help` lists them")
        if group == "study" and value.startswith("["):
            raise UserError(f"{override}: give one study")
        if re.fullmatch(r"(data|detector|model|feature)(@[\w.]+)?", group) and value[:1] == "[":
            raise UserError(
                f"{override}: a list would silently keep its last entry alone; add training data "
                "with data.extra=[ARCHIVE,…], or sweep with -m and commas"
            )
