"""How long a user waits for an answer of the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn
from fer_lightning.config.benchmark import BenchmarkConfig

HELP, MISTAKE, TORCH, BARE = "fer --help", "an error in a key", "import torch", "bare Python"


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Seconds of whole processes, their start included."""
    fer = [sys.executable, "-m", "fer_lightning"]
    commands = {
        HELP: (0, [*fer, "--help"]),
        MISTAKE: (2, [*fer, "train", "model.widht=3"]),
        TORCH: (0, [sys.executable, "-c", "import torch"]),
        BARE: (0, [sys.executable, "-c", "pass"]),
    }
    ways = {name: _process(command, status) for name, (status, command) in commands.items()}
    result = in_turn("starting", "s", ways, config.rounds)
    result.goals = [
        Goal(f"seconds to {HELP}", result.median(HELP), 0.5, at_least=False),
        Goal(f"seconds to {MISTAKE}", result.median(MISTAKE), 3, at_least=False),
    ]
    result.notes = ["The key is `model.widht`, for which `fer train` proposes `model.width`."]
    yield result


def _process(command: Sequence[str], status: int) -> Way:
    def way() -> float:
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode != status:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return seconds

    return way
