"""Starts commands from a process that has imported torch and Lightning already.

Importing them takes a command seconds, and hundreds of tests start one. Each command is forked from
here, so it has a process, a working folder, an environment and streams of its own as ever.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

BEFORE = ("PYTHON", "OMP_NUM_THREADS", "MPL")
"""Beginnings of variables that are read on import: a command with others cannot start from here."""


class Warm:
    """The process from which commands start."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Whether a command with this environment may start from here."""
        return _read_on_import(environment) == _read_on_import(self._environment)

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m fer_lightning`` to its end.

        Raises:
            subprocess.TimeoutExpired: If it takes longer; it is killed.
        """
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("stdout", "stderr")]
            order = {
                "arguments": list(arguments),
                "cwd": str(cwd),
                "environment": dict(environment),
                "streams": [str(stream) for stream in streams],
            }
            assert self._server.stdin is not None
            self._server.stdin.write(json.dumps(order).encode() + b"\n")
            self._server.stdin.flush()
            process, late = self._answer(), False
            assert self._server.stdout is not None
            if not select.select([self._server.stdout], [], [], timeout)[0]:
                os.kill(process, signal.SIGKILL)
                late = True
            status = self._answer()
            printed = [stream.read_text() for stream in streams]
        if late:
            raise subprocess.TimeoutExpired(list(arguments), timeout, *printed)
        return subprocess.CompletedProcess(list(arguments), status, *printed)

    def _answer(self) -> int:
        assert self._server.stdout is not None
        # Without a buffer, which select would not see.
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._server.stdout.fileno(), 1) or b"\n"
        return int(line)

    def close(self) -> None:
        """End it."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()


def _read_on_import(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if k.startswith(BEFORE) and v}


def _serve() -> None:
    """Fork a process for each order; tell its number, then its exit status."""
    import lightning  # noqa: F401
    import torchvision  # noqa: F401

    for line in sys.stdin.buffer:
        process = os.fork()
        if process == 0:
            _become(**json.loads(line))
            return
        os.write(1, b"%d\n" % process)
        _, status = os.waitpid(process, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(
    arguments: list[str], cwd: str, environment: dict[str, str], streams: list[str]
) -> None:
    """Go on as ``python -m fer_lightning`` would that was started so."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, name in enumerate([os.devnull, *streams]):
        opened = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # what is buffered are orders
    sys.path[0] = cwd
    sys.argv = ["fer_lightning", *arguments]
    runpy.run_module("fer_lightning", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
