"""Run folders with all that the page shows, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from fer_lightning.analysis.comparison import Comparison
from fer_lightning.config.study import CompareConfig
from fer_lightning.jobs.compare import compare
from tests.helpers.results import make_run, write

CLASSES = ("anger", "fear")


def make_rich_run(path: Path, seed: int = 0, images_seen: int = 100, **model: Any) -> Path:
    """A run with curves, an evaluation with predictions, and a sample grid."""
    run = make_run(path, seed, None, images_seen, epochs={1: 3.0 + seed, 2: 1.0}, **model)
    write_answers(run / "evaluations" / "evaluate-drawn-test-01234567", images_seen)
    write_grids(run, [images_seen // 2, images_seen])
    return run


def write_answers(path: Path, images_seen: int = 100, **protocol: Any) -> Path:
    """Numbers, a confusion matrix and predictions of four faces; two of anger, two of fear."""
    write(
        path.with_suffix(".json"),
        {
            "job": "evaluate",
            "metrics": {"accuracy": 0.75},
            "protocol": {"split": "test", "classes": dict.fromkeys(CLASSES, 2), **protocol},
            "images_seen": images_seen,
            "confusion": {"classes": list(CLASSES), "rows_true": [[2, 0], [1, 1]]},
        },
    )
    table = pa.table(
        {
            "emotion": ["anger", "anger", "fear", "fear"],
            "p_anger": [0.9, 0.6, 0.7, 0.2],
            "p_fear": [0.1, 0.4, 0.3, 0.8],
        }
    )
    pq.write_table(table, path.with_suffix(".parquet"))
    return path.with_suffix(".json")


def write_grids(run: Path, steps: Sequence[int], side: int = 8) -> None:
    (run / "samples").mkdir(exist_ok=True)
    for step in steps:
        Image.new("L", (side, side), step % 256).save(run / "samples" / f"{step:09d}.png")


def compared(runs: Sequence[Path], **settings: Any) -> Comparison:
    return compare(CompareConfig(runs=list(runs), out=Path("unused"), **settings), None)
