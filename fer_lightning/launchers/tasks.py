"""The further processes of a run, where a cluster has started a task for each of them.

The first task alone runs the command from the start. When its training asks for the others, it
leaves each a note, and they start what it says: so all come to the same archives and the same run
folder, and none waits for a training that was finished already.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_lightning.runs import write_json

VARIABLE = "FER_TASKS"
"""Environment variable with the beginning of the notes' paths; not set where there is one task."""
PAUSE = 0.1
"""Seconds between two looks for a note."""


@dataclass(frozen=True, slots=True)
class Task:
    """Another task of this job, used like a process that was started here.

    Attributes:
        notes: Beginning of the notes' paths, one for each start of the job.
        number: Which task, from 1.
    """

    notes: Path
    number: int

    def call(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Have the task run ``command``.

        Args:
            command: Program and arguments.
            environment: Variables beside those that the task has.
            log: File for what it prints.
        """
        content = {"command": list(command), "environment": dict(environment), "log": str(log)}
        write_json(self._note("call"), content)

    def called(self) -> dict[str, Any] | None:
        """What the task has to run, or None if nobody has called yet."""
        return _read(self._note("call"))

    def end(self, status: int) -> None:
        """Note how the command ended: its exit status, or minus the signal."""
        write_json(self._note("status"), {"status": status})

    def wait(self, timeout: float) -> int:
        """The exit status of the command.

        Args:
            timeout: Seconds to wait for it.

        Raises:
            TimeoutExpired: If it is still running.
        """
        deadline = time.monotonic() + timeout
        while (ended := _read(self._note("status"))) is None:
            if time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(f"task {self.number}", timeout)
            time.sleep(PAUSE)
        return int(ended["status"])

    def kill(self) -> None:
        """Nothing: the task kills what it runs when the first task has ended."""

    def _note(self, kind: str) -> Path:
        return self.notes.with_name(f"{self.notes.name}-task{self.number}.{kind}.json")


def ended_file(notes: Path) -> Path:
    """What says that the first task has ended, and the others can go."""
    return notes.with_name(f"{notes.name}.ended")


def _read(note: Path) -> dict[str, Any] | None:
    try:
        loaded: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return loaded
