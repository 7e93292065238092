"""The files that jobs leave behind, read with errors that name them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_lightning.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where numbers come from.

    Attributes:
        path: Run folder or evaluation file.
        job: The job that measured.
        seconds: Its time.
        device: Such as ``cpu`` or ``cuda:0``.
        threads: Of the processor.
        commit: Of this package; None where it was installed without its history.
    """

    path: Path
    job: str
    seconds: float
    device: str | None
    threads: int | None
    commit: str | None


def read_json(path: Path) -> dict[str, Any]:
    """A file that holds one JSON object.

    Raises:
        UserError: If it cannot be read or holds something else.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run its job again") from error
    if not isinstance(loaded, dict):
        raise UserError(f"{path} is damaged (no JSON object): delete it and run its job again")
    return loaded


def log_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a ``metrics.csv`` as text, oldest first; empty where there is no such file.

    A cell that was not logged is empty. The last row of a run that was killed, or is being
    trained, may be torn: it is left out.

    Raises:
        UserError: If it cannot be read.
    """
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged ({error}): train this run anew") from error
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))


def required(loaded: Mapping[str, Any], key: str, path: Path) -> Any:
    """A value that a file must have.

    Raises:
        UserError: If it has none.
    """
    if loaded.get(key) is None:
        raise UserError(f"{path} is damaged (it has no {key}): delete it and run its job again")
    return loaded[key]


def metrics_of(results: Mapping[str, Any], path: Path) -> dict[str, float]:
    """The metrics of a results file; null, which JSON has for what is no number, becomes NaN.

    Raises:
        UserError: If a value is something else than a number.
    """
    metrics = required(results, "metrics", path)
    try:
        return {
            str(name): math.nan if value is None else float(value)
            for name, value in metrics.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged (metrics: {error}): run its job again") from error


def remarks_of(results: Mapping[str, Any]) -> tuple[str, ...]:
    """What has to be said of the archives of a results file."""
    return tuple(one["remark"] for one in results.get("archives", []) if "remark" in one)


def source_of(results: Mapping[str, Any], path: Path) -> Source:
    """What a results file says about where it was made."""
    return Source(
        path=path,
        job=str(results.get("job", "")),
        seconds=float(results.get("seconds") or 0.0),
        device=results.get("device"),
        threads=results.get("threads"),
        commit=results.get("commit"),
    )
