"""Confusion matrices and ROC curves of evaluations, from their JSON and their predictions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer_lightning.analysis.evaluations import PER_RUN, READABLE
from fer_lightning.analysis.files import read_json
from fer_lightning.analysis.html.lines import Line
from fer_lightning.config.plain import flatten
from fer_lightning.errors import UserError
from fer_lightning.progress import progress_bar

MOST, LEAST = 101, 11
"""Places on the horizontal axis at which an ROC curve is kept."""
IN_ALL = 600_000
"""Places of all curves together, by which there are fewer of each."""
PARTS = 1000
"""True positive rates are kept as whole numbers of so many parts."""
_HASHED = re.compile(r"(.+)-[0-9a-f]{8}")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A file of answers, and whose they are.

    Attributes:
        what: Which faces were asked about, alike in all runs.
        line: Number of the line.
        seed: Of the run.
        path: The file.
        content: What it holds.
    """

    what: str
    line: int
    seed: int | None
    path: Path
    content: Mapping[str, Any]


def answered(lines: Sequence[Line]) -> list[Answered]:
    """All evaluations of the lines that are of the networks as they are now, with their names."""
    places = [
        (number, member, file)
        for number, line in enumerate(lines)
        for member in line.members
        for file in member.evaluations
    ]
    bar = progress_bar(places, desc="Reading answers", unit="file", leave=False, delay=1)
    read = [(number, member, file, read_json(file)) for number, member, file in bar]
    found = [
        Answered(what=_plain_name(file), line=number, seed=member.seed, path=file, content=content)
        for number, member, file, content in read
        if content.get("images_seen") == member.images_seen
    ]
    return _told_apart(found)


def _plain_name(file: Path) -> str:
    """The file's name without the hash of its protocol, which differs by run."""
    match = _HASHED.fullmatch(file.stem)
    return match[1] if match else file.stem


def _told_apart(found: Sequence[Answered]) -> list[Answered]:
    """Several files of one run and name get those parts of their protocol in which they differ."""
    by_run: dict[tuple[str, int, int | None], list[Answered]] = {}
    for one in found:
        by_run.setdefault((one.what, one.line, one.seed), []).append(one)
    keys: dict[str, set[str]] = {}
    for (what, _, _), files in by_run.items():
        protocols = [dict(flatten(one.content.get("protocol", {}))) for one in files]
        for key in {key for protocol in protocols for key in protocol}:
            values = {str(protocol.get(key)) for protocol in protocols}
            if len(values) > 1 and key.partition(".")[0] not in PER_RUN:
                keys.setdefault(what, set()).add(key)
    return [
        Answered(
            what=", ".join([one.what, *_parts(one, keys.get(one.what, set()))]),
            line=one.line,
            seed=one.seed,
            path=one.path,
            content=one.content,
        )
        for one in found
    ]


def _parts(one: Answered, keys: set[str]) -> Iterator[str]:
    protocol = dict(flatten(one.content.get("protocol", {})))
    clear = sorted(keys & set(READABLE), key=READABLE.index)
    for key in clear[:2] or sorted(keys, key=len)[:2]:
        yield f"{key}={protocol.get(key)}"


def confusions_of(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Confusion matrices as plain data: for each kind of evaluation its classes and matrices.

    A matrix has ``rows``, which are the true classes, its ``line`` and its ``seed``.

    Raises:
        UserError: If one is damaged.
    """
    kinds: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
    for one in found:
        confusion = one.content.get("confusion")
        if confusion is None:
            continue
        try:
            classes = tuple(map(str, confusion["classes"]))
            rows = np.array(confusion["rows_true"], dtype=np.int64).reshape([len(classes)] * 2)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{one.path} is damaged (confusion: {error}): delete it") from error
        how = confusion.get("protocol")
        what = f"{one.what}, {_words(how)}" if how else one.what
        matrix = {"line": one.line, "seed": one.seed, "rows": rows.tolist()}
        kinds.setdefault((what, classes), []).append(matrix)
    return [
        {"what": what, "classes": list(classes), "matrices": matrices}
        for (what, classes), matrices in kinds.items()
    ]


def rocs_of(found: Sequence[Answered]) -> dict[str, Any]:
    """ROC curves of every class against the rest as plain data.

    ``grid`` holds false positive rates, ``kinds`` for each kind of evaluation its classes and
    ``curves``: ``line``, ``seed``, number of the class, area (of the whole curve), and true
    positive rates on the grid in parts of a thousand.

    Raises:
        UserError: If a file of predictions is damaged.
    """
    files = [(one, one.path.with_suffix(".parquet")) for one in found]
    there = [(one, file) for one, file in files if file.is_file()]
    columns = {file: _score_columns(one, file) for one, file in there}
    several = sum(len(scores) for of_file in columns.values() for scores in of_file.values())
    places = min(MOST, max(LEAST, IN_ALL // max(1, several)))
    grid = np.linspace(0, 1, places)
    kinds: dict[str, dict[str, Any]] = {}
    for one, file in progress_bar(there, desc="Drawing ROC", unit="file", leave=False, delay=1):
        for how, scores in sorted(columns[file].items(), key=_honest_first):
            what = f"{one.what}, {_words(how)}" if how else one.what
            kind = kinds.setdefault(what, {"what": what, "classes": [], "curves": []})
            for name, area, rates in _curves(file, scores, grid):
                if name not in kind["classes"]:
                    kind["classes"].append(name)
                kind["curves"].append(
                    [one.line, one.seed, kind["classes"].index(name), area, rates]
                )
    drawn = [kind for kind in kinds.values() if kind["curves"]]
    return {"grid": [round(place, 4) for place in grid.tolist()], "kinds": drawn}


def _score_columns(one: Answered, file: Path) -> dict[str, dict[str, str]]:
    """Columns that hold scores by protocol and class: of classifiers, or of probes."""
    protocol = one.content.get("protocol", {})
    classes = [str(name) for name in protocol.get("classes", [])]
    try:
        names = pq.read_schema(file).names
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}): delete it") from error
    found: dict[str, dict[str, str]] = {}
    for column in names:
        for name in classes:
            if column == f"p_{name}":
                found.setdefault("", {})[name] = column
            elif match := re.fullmatch(rf"score(?:_(.+))?_{re.escape(name)}", column):
                found.setdefault(match[1] or "", {})[name] = column
    return found


def _curves(
    file: Path, scores: Mapping[str, str], grid: NDArray[np.float64]
) -> Iterator[tuple[str, float, list[int]]]:
    """Name, area and rates of each class of which there are images that show it and others."""
    from sklearn import config_context
    from sklearn.metrics import roc_curve

    table = pq.ParquetFile(file).read()
    for name, column in scores.items():
        score = table.column(column).to_numpy().astype(np.float64)
        known, positive = _truth(table, name)
        used = known & np.isfinite(score)
        own = positive[used]
        if not own.any() or own.all():
            continue
        # Its checks take ten times as long as the curve, and there may be thousands.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            false, true, _ = roc_curve(own, score[used])
        area = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
        rates = (np.interp(grid, false, true) * PARTS).round().astype(int)
        yield name, round(area, 4), rates.tolist()


def _truth(table: Any, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows say whether they show a class or unit, and which of them do."""
    if name in table.column_names:  # an action unit: 1, 0 or unknown
        values = np.array([-1 if v is None else v for v in table.column(name).to_pylist()])
        return values >= 0, values == 1
    emotions = np.array(table.column("emotion").to_pylist(), dtype=object)
    return np.array([emotion is not None for emotion in emotions]), emotions == name


def _honest_first(protocol: tuple[str, Any]) -> tuple[bool, bool]:
    """Sorts those first that say most about new people, as folds of other people do."""
    return "random" in protocol[0], "nested" not in protocol[0]


def _words(protocol: str) -> str:
    """A probe's protocol for people."""
    nested = ", nested" if protocol.endswith("_nested") else ""
    kind = protocol.removesuffix("_nested")
    return "other faces" if kind == "across" else f"{kind} folds{nested}"
