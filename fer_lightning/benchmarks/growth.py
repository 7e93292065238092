"""Ten times as many images: does it take ten times as long, and no more memory?"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pyarrow.compute import field

from fer_lightning.benchmarks.comparison import Goal, SideBySide
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.progress import progress_bar

SETTINGS = ["data=drawn", "detector=whole_image", "image_size=32", "channels=1"]
PICTURES = ["data.picture_size=32", "data.subjects=1000"]
MODEL = ["model.width=4", "model.latent_dim=16", "data.batch_size=64", "logger=csv"]
RARE = ["trainer.checkpoint_images=50000", "trainer.sample_images=50000", "trainer.progress=false"]
LOOK = 0.05
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: From its start to its end.
        mebibytes: The most memory of its own that it and its children held at once; pages of
            files that are mapped, which the system can drop at any time, are not counted. None
            where the system does not tell (it does on Linux).
    """

    seconds: float
    mebibytes: float | None


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Seconds and peak memory of preparing and of an epoch, and seconds to look into an index."""
    looking: dict[str, list[float]] = {}
    costs: dict[str, list[Cost]] = {"prepare": [], "train": []}
    with tempfile.TemporaryDirectory(prefix="fer-benchmark-") as place:
        bar = progress_bar(config.counts, desc="growth", unit="size", leave=False)
        for count in bar:
            data = [f"data.count={count}", *PICTURES]
            archive = Path(place, str(count))
            costs["prepare"].append(
                run(["prepare", *SETTINGS, *data, f"archive={archive}"], Path(place))
            )
            looking[f"{count:,} images"] = [_look(archive) for _ in range(config.rounds)]
            given = [f"data.archive={archive}", f"trainer.max_images={count}", "run_dir=RUN"]
            train = ["train", *SETTINGS, *data, *MODEL, *RARE, *given, "force=true"]
            costs["train"].append(run(train, Path(place)))
    for job, spent in costs.items():
        yield _table(job, config.counts, spent)
    result = SideBySide("opening and filtering an index", "s", looking)
    largest = f"{config.counts[-1]:,} images"
    seconds = result.median(largest)
    result.goals.append(Goal(f"seconds for {largest}", seconds, 1, at_least=False))
    yield result


def _look(path: Path) -> float:
    """Seconds to open an archive and find the rows of one class and one person."""
    start = time.perf_counter()
    index = FaceArchive.open(path).table()
    index.filter((field("emotion") == "fear") & (field("subject") == "S001"))
    return time.perf_counter() - start


def _table(job: str, counts: Sequence[int], costs: Sequence[Cost]) -> SideBySide:
    values = {f"{n:,} images": [cost.seconds] for n, cost in zip(counts, costs, strict=True)}
    result = SideBySide(f"growing: fer {job}", "s", values)
    sizes = list(zip(counts, costs, strict=True))
    slopes = [
        (more.seconds - less.seconds) / (larger - smaller)
        for (smaller, less), (larger, more) in pairwise(sizes)
    ]
    if slopes[-2] > 0:
        growth = slopes[-1] / slopes[-2]
        result.goals.append(
            Goal("times the time of an image in the step before", growth, 1.25, at_least=False)
        )
    else:
        result.notes.append("Sizes are too small for their difference in time to be seen.")
    memory = [cost.mebibytes for cost in costs if cost.mebibytes is not None]
    if len(memory) == len(costs):
        result.goals.append(
            Goal("times the memory of the smallest", memory[-1] / memory[0], 1.25, at_least=False)
        )
        peaks = ", ".join(f"{mib:,.0f}" for mib in memory)
        result.notes.append(f"Peak memory, mapped files apart: {peaks} MiB.")
    else:
        result.notes.append("Memory was not measured: this system does not tell it.")
    result.notes.append(
        "Milliseconds an image from each size to the next: "
        + ", ".join(f"{1000 * slope:.3f}" for slope in slopes)
        + "."
    )
    return result


def run(arguments: Sequence[str], folder: Path) -> Cost:
    """Run ``fer`` in a process of its own.

    Raises:
        RuntimeError: If it fails.
    """
    command = [sys.executable, "-m", "fer_lightning", *arguments]
    log = folder / "log"
    start = time.perf_counter()
    peak = 0.0
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        try:
            while process.poll() is None:
                peak = max(peak, _memory(process.pid))
                time.sleep(LOOK)
        finally:
            process.kill()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"fer {' '.join(arguments)} failed:\n{log.read_text()}")
    return Cost(seconds, peak or None)


def _memory(pid: int) -> float:
    """MiB of a process and its children that no file backs; 0 where the system does not tell."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                total += int(line.split()[1]) / 1024
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile, or another system
        return total
    return total + sum(_memory(int(child)) for child in children)
