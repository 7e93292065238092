"""The processes of cells: how they end with us, how they are killed, and why one failed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LOG_TAIL = 65536
"""Bytes at the end of a log in which the error is looked for."""
_PR_SET_PDEATHSIG = 1


def error_line(log: Path, status: int, begin: int = 0) -> str:
    """Why a cell failed, in one line: what it printed last, or the signal that ended it.

    Args:
        log: What it printed.
        status: Its exit status, or minus the signal.
        begin: Byte of the log at which this start of it began.
    """
    if status < 0:
        name = signal.Signals(-status).name
        return f"ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    with log.open("rb") as file:
        file.seek(max(begin, log.stat().st_size - LOG_TAIL))
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    mistakes = [line for line in lines if line.startswith("fer: error: ")]
    last = (mistakes or lines or [f"exit status {status}"])[-1]
    return last.removeprefix("fer: error: ")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a cell and the processes that it started, such as the loader's workers."""
    if sys.platform == "win32":
        process.kill()
    elif process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def dies_with_us() -> Callable[[], None] | None:
    """What a cell does before it starts, so that it stops and saves if we are killed.

    Linux alone knows such a wish. Strictly, the signal comes when the thread that started the cell
    ends: here that is the thread which waits for it.
    """
    if sys.platform != "linux":
        return None
    # Looked up now: between fork and exec nothing may be imported.
    prctl = ctypes.CDLL(None).prctl
    us, number = os.getpid(), int(signal.SIGTERM)

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != us:
            os._exit(1)  # killed in between

    return ask
