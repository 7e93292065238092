"""A page of ``fer compare`` with all sections, on which every run can be told by what it shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from fer_lightning.analysis.html.content import content
from fer_lightning.analysis.html.document import document
from fer_lightning.analysis.records import Unfinished
from tests.helpers.results import make_run, write
from tests.unit.analysis.html.helpers import compared, make_rich_run, write_answers

HOSTILE = (
    "<img src=x onerror=document.title='taken'></script><script>document.title='taken'</script>"
)
VAL = "evaluate-drawn-val"
"""On these faces seed 1 of the first configuration alone has been measured."""
SHADES = {0: {50: 30, 100: 60}, 1: {50: 90, 100: 120}}
"""Of the first configuration's pictures by seed and images seen; the second's are lighter."""
LIGHTER = 100
SCORES = ([0.9, 0.8, 0.3, 0.2], [0.9, 0.6, 0.7, 0.2]), ([0.9, 0.3, 0.7, 0.4], [0.5, 0.3, 0.7, 0.4])
"""For anger by configuration and seed, of two faces that show it and two that do not: areas of
1, 0.75, 0.5 and 0.25. Those for fear have 0.75 everywhere."""


def write_page(folder: Path) -> Path:
    """Two configurations of two seeds, an unfinished run, and a cell that failed."""
    runs = [make_rich_run(folder / f"{w}{s}", s, width=w) for w in (4, HOSTILE) for s in (0, 1)]
    for number, run in enumerate(runs):
        _tell_apart(run, *divmod(number, 2))
    runs.append(make_run(folder / "begun", 2, finished=False, epochs={1: 2.0, 2: 1.5}, width=4))
    comparison = compared(runs, baseline="model.width=4")
    failed = Unfinished(what=f"train: {HOSTILE}", status="failed", reason=HOSTILE, seed=9)
    comparison = replace(
        comparison,
        title=HOSTILE,
        question="Is it safe?",
        unfinished=[*comparison.unfinished, failed],
        notes=[HOSTILE],
        tables=["A/II"],
    )
    file = folder / "comparison.html"
    file.write_text(document(content(comparison, pictures=True)), encoding="utf-8")
    return file


def _tell_apart(run: Path, line: int, seed: int) -> None:
    """Give a rich run pictures and answers that no other has."""
    for step, shade in SHADES[seed].items():
        picture = Image.new("L", (8, 8), shade + LIGHTER * line)
        picture.save(run / "samples" / f"{step:09d}.png")
    _answer(run, "evaluate-drawn-test", 4 - 2 * line - seed, SCORES[line][seed])
    if (line, seed) == (0, 1):
        _answer(run, VAL, 10, SCORES[1][0], split="val")


def _answer(run: Path, what: str, right: int, scores: Sequence[float], **protocol: Any) -> None:
    """An evaluation that found so many of ten faces of anger, and nine of fear."""
    file = write_answers(run / "evaluations" / f"{what}-01234567", **protocol)
    plain = json.loads(file.read_text())
    plain["confusion"]["rows_true"] = [[right, 10 - right], [1, 9]]
    write(file, plain)
    table = pq.read_table(file.with_suffix(".parquet"))
    table = table.set_column(table.column_names.index("p_anger"), "p_anger", pa.array(scores))
    pq.write_table(table, file.with_suffix(".parquet"))
