"""Waits for the jobs of a sweep, whether they end by themselves or by SLURM."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fer_lightning.errors import UserError
from fer_lightning.launchers.cells import Cell, Outcome, read_outcome
from fer_lightning.launchers.slurm import queue
from fer_lightning.launchers.slurm.orders import Order

PAUSE = 1.0
"""Seconds between two looks at the jobs' folder."""
ASK_EVERY = 10.0
"""Seconds between two questions to SLURM, which is one for all jobs together."""
LAG = 15.0
"""Seconds in which what a job has written may come to us from another node's disk."""


@dataclass
class Watch:
    """The jobs of a sweep, and what became of them.

    Attributes:
        cells: All cells.
        orders: The job of each cell, by the cell's number.
        interrupted: Whether the user stopped waiting.
    """

    cells: Sequence[Cell]
    orders: dict[int, Order] = field(default_factory=dict)
    interrupted: bool = False
    _since: dict[int, float] = field(default_factory=dict)
    _ended: dict[int, Outcome] = field(default_factory=dict)
    _gone: dict[int, float] = field(default_factory=dict)
    _states: dict[int, queue.Entry] = field(default_factory=dict)

    def add(self, cell: Cell, order: Order) -> None:
        """Wait for a cell's job, too."""
        self.orders[cell.number], self._since[cell.number] = order, time.monotonic()

    def say(self, cells: Sequence[Cell], what: str) -> None:
        """Say on the terminal what was done with the jobs of some cells."""
        for cell in cells:
            _say(f"#{cell.number} {what}: {cell.label} → {self.orders[cell.number].log}")

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Take Ctrl-C for the wish not to wait: the jobs belong to the cluster and go on."""
        try:
            yield
        except KeyboardInterrupt:
            self.interrupted = True
            _say(self.left())

    def wait(self) -> None:
        """Wait until all jobs have ended."""
        asked = float("-inf")
        while waiting := self._waiting():
            for cell in waiting:
                order = self.orders[cell.number]
                if (end := order.read_end()) is not None:
                    status, error = end
                    said = error or f"exit status {status}" if status else ""
                    self._note(read_outcome(cell, order.log, said, order.report))
                    order.collect()
            now = time.monotonic()
            if now - asked >= ASK_EVERY and (waiting := self._waiting()):
                self._ask(waiting, now)
                asked = now
            time.sleep(PAUSE)

    def _waiting(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.number not in self._ended]

    def outcomes(self) -> list[Outcome]:
        """What became of all cells, in their order."""
        return [self._ended.get(cell.number) or self._unfinished(cell) for cell in self.cells]

    def _ask(self, waiting: Sequence[Cell], now: float) -> None:
        """Look for jobs that SLURM has ended, and tell what else is new."""
        try:
            there = queue.jobs()
        except UserError as error:
            _say(f"fer: warning: {error}; still waiting")
            return
        for cell in waiting:
            order, number = self.orders[cell.number], cell.number
            entry = there.get((order.name, order.index))
            if entry is not None and entry.alive:
                self._gone.pop(number, None)
                self._tell(cell, entry)
            elif now - self._gone.setdefault(number, now) >= LAG:
                self._note(Outcome(cell, "failed", order.log, queue.lost(entry)))

    def _tell(self, cell: Cell, entry: queue.Entry) -> None:
        before = self._states.get(cell.number)
        self._states[cell.number] = entry
        if entry.held and not (before and before.held):
            _say(f"fer: warning: #{cell.number} job {entry.id} is held ({entry.reason}): "
                 f"scontrol release {entry.id}, or scancel {entry.id}")  # fmt: skip
        elif before is not None and entry.state == "PENDING" != before.state:
            _say(f"#{cell.number} job {entry.id} is queued again")
        elif entry.state == "RUNNING" and (before is None or before.state != "RUNNING"):
            _say(f"#{cell.number} job {entry.id} runs")

    def _note(self, outcome: Outcome) -> None:
        number = outcome.cell.number
        self._ended[number] = outcome
        _say(outcome.line(time.monotonic() - self._since[number]))

    def _unfinished(self, cell: Cell) -> Outcome:
        order = self.orders.get(cell.number)
        if order is None:
            return Outcome(cell, "waiting", Path(os.devnull))
        return Outcome(cell, "queued", order.log)

    def left(self) -> str:
        """What goes on without us, and how to end it."""
        orders = [o for n, o in self.orders.items() if n not in self._ended]
        try:
            there = queue.jobs()
        except UserError as error:
            return f"\nfer: {len(orders)} jobs may go on in the queue: {error}"
        found = [there.get((order.name, order.index)) for order in orders]
        ids = [entry.id for entry in found if entry is not None and entry.alive]
        if not ids:
            return "\nfer: nothing of it is in the queue any more"
        return (
            f"\nfer: {len(ids)} of {len(self.cells)} cells go on in the queue; the same command "
            f"waits for them again, and this ends them: scancel {' '.join(ids)}"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
