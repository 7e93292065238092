"""A run that another job starts from: its folder, or ``experiment:NAME``, trained where missing."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.data.archive import archive_lock
from fer_lightning.errors import UserError
from fer_lightning.launchers.processes import dies_with_us, error_line
from fer_lightning.launchers.report import VARIABLE, read_report
from fer_lightning.launchers.slots import INHERITED
from fer_lightning.launchers.sweeps import config_dirs
from fer_lightning.ranks import MARK
from fer_lightning.registry import models
from fer_lightning.studies.composing import mistake_in
from fer_lightning.studies.inputs import EXPERIMENT

CHAIN = "FER_EXPERIMENTS"
"""Environment variable with the experiments that are being trained for each other, outermost
first."""


def prepared_run(given: Path | str, key: str, model: str | None = None) -> Path:
    """The run folder that a key names.

    ``experiment:NAME`` is ``fer train experiment=NAME`` in a process of its own: where that run is
    finished, it is found; where it is not, it is trained into its normal folder. Of several jobs
    that ask for one experiment, the first trains it and the others wait.

    Args:
        given: A run folder, taken as it is, or ``experiment:NAME``.
        key: That it was given by, for messages.
        model: Name of the model that the experiment must train; None is any.

    Raises:
        UserError: If there is no such experiment, it has another model, it needs itself, or its
            training failed; says why.
    """
    text = str(given)
    if not text.startswith(EXPERIMENT):
        return Path(given)
    name = text.removeprefix(EXPERIMENT)
    if not re.fullmatch(r"\w[\w./-]*", name):
        raise UserError(f"{key}={text}: give the name of an experiment, as `fer --help` lists them")
    chain = os.environ.get(CHAIN, "").split()
    if name in chain:
        raise UserError(
            f"{key}={text}: this experiment needs itself ({' → '.join([*chain, name])}); give "
            "another one, or a run folder"
        )
    if model is not None and GlobalHydra.instance().is_initialized():  # as it is in every job
        _refuse_other(name, f"{key}={text}", model)
    runs = Path("multirun") / "train"
    runs.mkdir(parents=True, exist_ok=True)
    with archive_lock(runs / f"experiment-{name.replace('/', '-')}"):
        return _trained(name, f"{key}={text}", {CHAIN: " ".join([*chain, name])})


def _refuse_other(name: str, what: str, model: str) -> None:
    """An experiment of another model, before hours of training end in a run that is of no use."""
    overrides = [f"experiment={name}"]
    try:
        found = compose("train", overrides).model.name
    except (HydraException, OmegaConfBaseException) as error:
        reason = mistake_in("train", overrides) or str(error)
        raise UserError(f"{what}: {reason.removeprefix(f'experiment={name}: ')}") from error
    if not issubclass(models.load(found), models.load(model)):
        raise UserError(f"{what} trains model={found}; give an experiment with model={model}")


def _trained(name: str, what: str, chain: Mapping[str, str]) -> Path:
    """Run the experiment's command, and take the folder that it reports."""
    folders = config_dirs(HydraConfig.get()) if HydraConfig.initialized() else []
    command = [sys.executable, "-m", "fer_lightning", "train", *folders, f"experiment={name}"]
    # It is a job of its own, also where a rank or a cell of a sweep asks for it.
    ours = {k: v for k, v in os.environ.items() if k not in (*INHERITED, MARK)}
    with tempfile.TemporaryDirectory(prefix="fer-") as folder:
        place, log = Path(folder) / "report.json", Path(folder) / "log"
        print(f"{what}: fer train experiment={name}", file=sys.stderr, flush=True)
        process = subprocess.Popen(
            command,
            env={**ours, **chain, VARIABLE: str(place)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_us(),
        )
        with process, log.open("w", encoding="utf-8") as said:
            _relay(process, said)
        if process.returncode == 130:
            raise KeyboardInterrupt
        if process.returncode:
            reason = error_line(log, process.returncode).removeprefix(f"experiment={name}: ")
            raise UserError(f"{what}: {reason}")
        result = read_report(place)
    if result is None:
        raise UserError(f"{what}: its training named no run folder; run it again")
    return result.path


def _relay(process: subprocess.Popen[bytes], log: TextIO) -> None:
    """Show what the process prints as it comes, beside our own messages, and keep it."""
    assert process.stdout is not None
    # Progress bars end their lines by a carriage return alone.
    lines = io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace", newline="")
    try:
        for line in lines:
            log.write(line)
            sys.stderr.write(line)
            sys.stderr.flush()
    except KeyboardInterrupt:
        process.wait()  # Ctrl-C has reached it, too: it saves
        raise
