"""What a job of the cluster has to do, where it writes, and which ones were submitted before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_lightning.errors import UserError
from fer_lightning.runs import write_json

RECORD = "orders.json"
"""File in the folder of an array of jobs that lists them."""


@dataclass(frozen=True, slots=True)
class Order:
    """One job.

    Attributes:
        folder: Folder of its array, absolute.
        name: The array's name in the queue, which no other has.
        index: Its place in the array.
        command: The command line of the cell.
        minutes: Its time limit.
        warning_seconds: How long before that it is told to save.
        queued_again: How often it may be queued again at its time limit.
    """

    folder: Path
    name: str
    index: int
    command: list[str]
    minutes: int
    warning_seconds: int
    queued_again: int

    @property
    def job(self) -> str:
        """The verb of its command."""
        return self.command[3]

    @property
    def log(self) -> Path:
        """What it printed, every start after the one before it."""
        return self.folder / f"{self.index}.log"

    @property
    def report(self) -> Path:
        """What it made."""
        return self.folder / f"{self.index}.json"

    @property
    def ended(self) -> Path:
        """How it ended; not there if SLURM ended it."""
        return self.folder / f"{self.index}.ended.json"

    @property
    def collected(self) -> Path:
        """What ``ended`` becomes when a launcher has read it."""
        return self.folder / f"{self.index}.collected.json"

    def end(self, status: int, error: str = "") -> None:
        """Note how it ended.

        Args:
            status: Exit status.
            error: Why it failed.
        """
        write_json(self.ended, {"status": status, "error": error})

    def read_end(self) -> tuple[int, str] | None:
        """Exit status and error, also where another launcher has read them; None if it goes on."""
        for file in (self.ended, self.collected):
            try:
                loaded = json.loads(file.read_text(encoding="utf-8"))
                return loaded["status"], loaded["error"]
            except FileNotFoundError:
                continue
        return None

    def collect(self) -> None:
        """Note that a launcher has read how it ended."""
        try:
            self.ended.replace(self.collected)
        except FileNotFoundError:
            return  # another launcher that waited for it was first


def write_orders(orders: Sequence[Order]) -> None:
    """Record an array of jobs, before it is submitted: so it is found again whatever happens."""
    folder = orders[0].folder
    folder.mkdir(parents=True, exist_ok=True)
    plain = [{**asdict(order), "folder": str(order.folder)} for order in orders]
    write_json(folder / RECORD, {"orders": plain})


def read_orders(root: Path) -> Iterator[Order]:
    """All jobs that were submitted from here, the newest first.

    Args:
        root: Folder of the arrays' folders, which are named by time.

    Raises:
        UserError: If a record is damaged.
    """
    for record in sorted(root.glob(f"*/{RECORD}"), reverse=True):
        try:
            listed: list[dict[str, Any]] = json.loads(record.read_text(encoding="utf-8"))["orders"]
            found = [Order(**{**plain, "folder": record.parent.absolute()}) for plain in listed]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{record} is damaged ({error!r}): delete it, once squeue shows none of its jobs"
            ) from error
        yield from found
