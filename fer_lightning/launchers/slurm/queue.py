"""What SLURM says of our jobs, and what its states mean to the user."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from fer_lightning.errors import UserError

PATIENCE = 60.0
"""Seconds that SLURM may take for an answer."""
REMEDIES = {
    "CANCELLED": "it was cancelled",
    "TIMEOUT": "it had not saved in time: raise hydra.launcher.signal_delay_s, or "
    "hydra.launcher.timeout_min",
    "OUT_OF_MEMORY": "raise hydra.launcher.mem_gb",
    "DEADLINE": "its deadline came",
    "NODE_FAIL": "its node failed",
    "BOOT_FAIL": "its node did not start",
    "PREEMPTED": "another job took its place",
    "REVOKED": "another cluster has it",
    "COMPLETED": "it was stopped",
    "FAILED": "it was stopped, or could not start",
}
"""States in which a job stays ended, and what to do about them."""
GONE = "UNKNOWN"
"""State of a job that SLURM has forgotten."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A job in the queue, or that was there some minutes ago.

    Attributes:
        id: What ``scancel`` takes.
        state: As ``PENDING`` or ``RUNNING``.
        reason: Why it waits.
    """

    id: str
    state: str
    reason: str = ""

    @property
    def alive(self) -> bool:
        """Whether it runs or will run."""
        return self.state not in REMEDIES

    @property
    def held(self) -> bool:
        """Whether it waits for somebody to release it."""
        return self.state == "PENDING" and "held" in self.reason.lower()


def jobs() -> dict[tuple[str, int], Entry]:
    """This user's jobs, by their name and their place in its array.

    ``squeue`` is asked and not ``sacct``, which needs a data base that small clusters do without.

    Raises:
        UserError: If SLURM does not answer.
    """
    command = ["squeue", "--noheader", "--array", "--states=all", f"--user={os.getuid()}",
               "--format=%i|%T|%r|%j"]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"squeue does not answer ({error}): try again later") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise UserError(f"squeue does not answer ({said}): try again later")
    return parsed(done.stdout)


def parsed(text: str) -> dict[tuple[str, int], Entry]:
    """What ``squeue`` prints, as :func:`jobs` returns it.

    A job that was queued again may be listed twice; one that lives goes before.
    """
    found: dict[tuple[str, int], Entry] = {}
    for line in text.splitlines():
        job, state, reason, name = line.strip().split("|", 3)
        index = job.partition("_")[2]
        key, entry = (name, int(index) if index.isdigit() else 0), Entry(job, state, reason)
        if key not in found or entry.alive:
            found[key] = entry
    return found


def lost(entry: Entry | None) -> str:
    """Why a job left the queue without a word: one line with a remedy.

    Args:
        entry: What SLURM says of it; None if it has forgotten the job.
    """
    if entry is None:
        return (
            f"SLURM has forgotten the job ({GONE}), and it left no result: the same command goes "
            "on where it was"
        )
    remedy = REMEDIES.get(entry.state, "")
    return (
        f"SLURM ended job {entry.id} ({entry.state}): {remedy}; the same command goes on where it "
        "was"
    )
