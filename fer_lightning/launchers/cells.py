"""Runs cells as processes, some at a time: all of them, whatever becomes of one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

from fer_lightning.errors import UserError
from fer_lightning.launchers.processes import dies_with_us, error_line, kill_group
from fer_lightning.launchers.report import read_report
from fer_lightning.launchers.slots import Slot, cell_environment, free_port
from fer_lightning.progress import progress_bar
from fer_lightning.runs import JobResult

PAUSE = 0.1
"""Seconds between two looks at the running cells."""
STOPPED = (130, -signal.SIGTERM)
"""Exit statuses of a cell that was told to stop: in training, and before it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One job to run.

    Attributes:
        number: Its place in the sweep.
        label: What tells it from the others.
        command: The command line.
    """

    number: int
    label: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a cell.

    Attributes:
        cell: The cell.
        state: What it came to; ``waiting`` if it was never started, ``queued`` if it goes on
            without us.
        log: File with what it printed.
        error: One line, if it failed.
        result: What it reported; of a training that failed its run folder alone.
    """

    cell: Cell
    state: Literal["done", "failed", "stopped", "waiting", "queued"]
    log: Path
    error: str = ""
    result: JobResult | None = None

    def line(self, seconds: float) -> str:
        """What the terminal shows when it has ended.

        Args:
            seconds: How long it took.
        """
        line = f"#{self.cell.number} {self.state} after {seconds:.0f} s"
        said = self.error or (str(self.result.path) if self.result else "")
        return f"{line}: {said}" if said else line


def read_outcome(cell: Cell, log: Path, error: str, report: Path) -> Outcome:
    """What became of a cell that came to its end.

    Args:
        cell: The cell.
        log: File with what it printed.
        error: Why it failed; empty if it did not.
        report: File with what it reported, if it did.
    """
    try:
        result = read_report(report)
    except UserError as damaged:
        return Outcome(cell, "failed", log, error or str(damaged))
    return Outcome(cell, "failed" if error else "done", log, error, result)


@dataclass(frozen=True, slots=True)
class _Running:
    cell: Cell
    slot: Slot
    port: int
    started: float
    process: subprocess.Popen[bytes]


class Pool:
    """A queue of cells before a number of slots.

    The first SIGINT or SIGTERM is handed on to the running cells, which save, and no further cell
    is started; the second one kills them.

    Args:
        slots: Where cells run.
        folder: Folder for their logs and reports.

    Attributes:
        interrupts: How often the user asked to stop.
    """

    def __init__(self, slots: Sequence[Slot], folder: Path) -> None:
        self.interrupts = 0
        self._free = list(slots)
        self._folder = folder
        self._running: list[_Running] = []
        self._before_exec = dies_with_us()

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Run all cells.

        Returns:
            An outcome a cell, in the order of the cells.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        waiting = list(cells)
        ended: dict[int, Outcome] = {}
        bar = progress_bar(
            total=len(cells), desc="cells", unit="cell", disable=not sys.stderr.isatty()
        )
        with bar, self._signals():
            try:
                heard = 0
                while self._running or (waiting and not self.interrupts):
                    while waiting and self._free and not self.interrupts:
                        bar.write(self._start(waiting.pop(0)), file=sys.stderr)
                    if self.interrupts > heard:
                        heard = self.interrupts
                        bar.write(self._stop(kill=heard > 1), file=sys.stderr)
                    for running in [r for r in self._running if r.process.poll() is not None]:
                        outcome = self._outcome(running)
                        ended[outcome.cell.number] = outcome
                        seconds = time.monotonic() - running.started
                        bar.write(outcome.line(seconds), file=sys.stderr)
                        bar.update()
                    time.sleep(PAUSE)
            finally:  # on a full disk, say: no cell goes on unseen
                for running in self._running:
                    running.process.terminate()
                for running in self._running:
                    running.process.wait()
        return [ended.get(c.number) or Outcome(c, "waiting", self._log(c)) for c in cells]

    def _start(self, cell: Cell) -> str:
        slot, port = self._free[0], free_port({r.port for r in self._running})
        environment = cell_environment(slot, port, self._report(cell), os.environ)
        with self._log(cell).open("wb") as log:
            process = subprocess.Popen(
                cell.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone
                preexec_fn=self._before_exec,
            )
        self._free.pop(0)
        self._running.append(_Running(cell, slot, port, time.monotonic(), process))
        where = f" (GPU {', '.join(slot.devices)})" if slot.devices else ""
        return f"#{cell.number} slot {slot.number}{where}: {cell.label} → {self._log(cell)}"

    def _outcome(self, running: _Running) -> Outcome:
        self._running.remove(running)
        self._free.append(running.slot)
        cell, status, log = running.cell, running.process.returncode, self._log(running.cell)
        killed = self.interrupts > 1 and status == -signal.SIGKILL
        if status in STOPPED or killed:
            return Outcome(cell, "stopped", log)
        error = "" if status == 0 else error_line(log, status)
        return read_outcome(cell, log, error, self._report(cell))

    def _stop(self, kill: bool) -> str:
        for running in self._running:
            if kill:
                kill_group(running.process)
            else:
                running.process.terminate()
        count = len(self._running)
        if kill:
            return f"fer: killed {count} cells"
        return f"fer: {count} cells finish their batch and save; Ctrl-C again kills them"

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # Python lets only the main thread handle signals
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.interrupts += 1

    def _log(self, cell: Cell) -> Path:
        return self._folder / f"{cell.number}.log"

    def _report(self, cell: Cell) -> Path:
        return self._folder / f"{cell.number}.json"
