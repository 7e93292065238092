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

from fer_lightning.data.archive import archive_lock
from fer_lightning.errors import UserError
from fer_lightning.launchers.processes import dies_with_us, error_line
from fer_lightning.launchers.report import VARIABLE, read_report
from fer_lightning.launchers.slots import INHERITED
from fer_lightning.ranks import MARK

PREFIX = "experiment:"
"""What tells the name of an experiment from a folder."""
CHAIN = "FER_EXPERIMENTS"
"""Environment variable with the experiments that are being trained for each other, outermost
first."""


def prepared_run(given: Path | str, key: str) -> Path:
    """The run folder that a key names.

    ``experiment:NAME`` is ``fer train experiment=NAME`` in a process of its own: where that run is
    finished, it is found; where it is not, it is trained into its normal folder. Of several jobs
    that ask for one experiment, the first trains it and the others wait.

    Args:
        given: A run folder, taken as it is, or ``experiment:NAME``.
        key: That it was given by, for messages.

    Raises:
        UserError: If there is no such experiment, it needs itself, or its training failed; says
            why.
    """
    text = str(given)
    if not text.startswith(PREFIX):
        return Path(given)
    name = text.removeprefix(PREFIX)
    if not re.fullmatch(r"\w[\w./-]*", name):
        raise UserError(f"{key}={text}: give the name of an experiment, as `fer --help` lists them")
    chain = os.environ.get(CHAIN, "").split()
    if name in chain:
        raise UserError(
            f"{key}={text}: this experiment needs itself ({' → '.join([*chain, name])}); give "
            "another one, or a run folder"
        )
    runs = Path("multirun") / "train"
    runs.mkdir(parents=True, exist_ok=True)
    with archive_lock(runs / f"experiment-{name.replace('/', '-')}"):
        return _trained(name, f"{key}={text}", {CHAIN: " ".join([*chain, name])})


def _trained(name: str, what: str, chain: Mapping[str, str]) -> Path:
    """Run the experiment's command, and take the folder that it reports."""
    command = [sys.executable, "-m", "fer_lightning", "train", f"experiment={name}"]
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
