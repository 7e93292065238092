"""How long a comparison of many runs takes, and how large and quick its page is."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import OmegaConf
from PIL import Image

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.labels import EMOTIONS
from fer_lightning.runs import write_json

SEEDS = 5
"""Runs of one configuration."""
IMAGES = 100_000
"""Length of each."""
CLASSES = EMOTIONS[:7]
COLUMNS = ("d_loss", "g_loss", "d_mean", "val_accuracy", "val_macro_f1", "lr")
METRICS = ("fid", "kid", "precision", "recall", "density", "coverage", "accuracy", "macro_f1")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Programs that open the page without a screen."""
COMPARING, OPENING, EMPTY = "fer compare", "opening the page", "opening an empty page"


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Seconds of whole processes on made-up runs, and what the page weighs."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        names = make_runs(place, config.runs)
        command = [sys.executable, "-m", "fer_lightning", "compare"]
        ways = {COMPARING: _process([*command, f"runs=[{','.join(names)}]", "out=OUT"], place)}
        if browser is not None:
            ways |= {
                OPENING: _browser(browser, place, f"{place.as_uri()}/OUT/comparison.html"),
                EMPTY: _browser(browser, place, "about:blank"),
            }
        result = in_turn(f"comparing {config.runs} runs", "s", ways, config.rounds)
        size = (place / "OUT" / "comparison.html").stat().st_size
    result.notes = [f"The page has {size / 1e6:.1f} MB."]
    if browser is None:
        result.notes.append(f"No browser ({', '.join(BROWSERS)}) is here to open the page.")
    else:
        own = result.median(OPENING) - result.median(EMPTY)
        result.goals = [Goal("seconds to open the page", own, 2, at_least=False)]
        result.notes.append("A browser's time is from its start until the page is painted.")
    yield result


def make_runs(place: Path, count: int) -> list[str]:
    """Folders of finished runs as the jobs leave them, with made-up numbers.

    Args:
        place: Where they go.
        count: How many; every :data:`SEEDS` of them are one configuration.

    Returns:
        Their names.
    """
    names = []
    for number in range(count):
        width, seed = divmod(number, SEEDS)
        name = f"run-{number:04d}"
        make_run(place / name, 8 + width, seed)
        names.append(name)
    return names


def make_run(folder: Path, width: int, seed: int) -> None:
    """One of them: configuration, log, results, an evaluation with predictions, a sample grid."""
    draw = random.Random(f"{width} {seed}")
    identity = {"model": {"name": "cgan", "width": width, "lr": 10 ** -(2 + width % 3)},
                "data": {"name": "drawn", "batch_size": 64}, "seed": seed,
                "archives": ["0123456789abcdef"]}  # fmt: skip
    for name in ("evaluations", "samples"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    command = f"fer train model.width={width} seed={seed}"
    write_json(folder / "manifest.json", {"job": "train", "identity": identity, "command": command})
    whole = {**identity, "trainer": {"max_images": IMAGES, "precision": "32-true"}}
    OmegaConf.save(OmegaConf.create(whole), folder / "config.yaml")
    about = {"schema": 1, "images_seen": IMAGES, "seconds": 60.0 + seed, "seed": seed,
             "device": "cpu", "threads": 1, "commit": "0" * 12}  # fmt: skip
    write_json(
        folder / "results.json",
        {**about, "job": "train", "metrics": {name: draw.random() for name in COLUMNS}},
    )
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["images_seen", *COLUMNS])
        for step in range(1, 201):
            values = [draw.random() / step + width / 100 for _ in COLUMNS]
            writer.writerow([step * IMAGES // 200, *values])
    _evaluation(folder / "evaluations" / f"evaluate-drawn-test-{width:04x}{seed:04x}", about, draw)
    noise = np.random.default_rng(width * SEEDS + seed).integers(0, 256, (96, 160, 3), np.uint8)
    Image.fromarray(noise).save(folder / "samples" / f"{IMAGES:09d}.png")


def _evaluation(path: Path, about: dict[str, object], draw: random.Random) -> None:
    """Numbers, a confusion matrix, and predictions of 210 faces."""
    classes = dict.fromkeys(CLASSES, 30)
    confusion = [[draw.randrange(30) for _ in CLASSES] for _ in CLASSES]
    write_json(
        path.with_suffix(".json"),
        {
            **about,
            "job": "evaluate",
            "metrics": {name: draw.random() for name in METRICS},
            "protocol": {"split": "test", "corpus": "drawn", "count": 210, "classes": classes},
            "confusion": {"classes": list(CLASSES), "rows_true": confusion},
        },
    )
    truth = [name for name in CLASSES for _ in range(30)]
    columns = {"emotion": truth}
    scores = {f"p_{name}": [draw.random() for _ in truth] for name in CLASSES}
    pq.write_table(pa.table({**columns, **scores}), path.with_suffix(".parquet"))


def _process(command: list[str], place: Path) -> Way:
    def way() -> float:
        start = time.perf_counter()
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command[:4])} ended with {done.returncode}: {done.stderr}"
            )
        return seconds

    return way


def _browser(browser: str, place: Path, address: str) -> Way:
    options = ["--headless", "--disable-gpu", f"--user-data-dir={place / 'profile'}"]
    # Not --dump-dom: writing the page out again takes longer than opening it.
    options.append(f"--screenshot={place / 'screenshot.png'}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # a browser refuses to run as root with it
    return _process([browser, *options, address], place)
