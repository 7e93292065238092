"""Whole configurations of runs, so that any two can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fer_lightning.analysis.tables import ABSENT, shown
from fer_lightning.config.plain import flatten
from fer_lightning.errors import UserError
from fer_lightning.progress import progress_bar


def settings_of(runs: Sequence[tuple[Path | None, Mapping[str, Any]]]) -> dict[str, Any]:
    """Every key of every run as plain data; a value that all runs share stands once.

    Args:
        runs: Folder of each, and what is known of it besides, such as its archives and axes.

    Returns:
        ``common``: key to value; ``keys``: the others; ``runs``: for each run its values by the
        keys' numbers, as numbers of ``values``.

    Raises:
        UserError: If a ``config.yaml`` is damaged.
    """
    bar = progress_bar(runs, desc="Reading configurations", unit="run", leave=False, delay=1)
    known = [
        {**_config(folder), **{k: shown(v) for k, v in besides.items()}} for folder, besides in bar
    ]
    keys = sorted({key for one in known for key in one})
    differing = [key for key in keys if len({one.get(key) for one in known}) > 1]
    numbers: dict[str, int] = {}
    values = [
        {
            str(number): numbers.setdefault(one[key], len(numbers))
            for number, key in enumerate(differing)
            if key in one
        }
        for one in known
    ]
    common = {key: known[0][key] for key in keys if key not in differing}
    return {
        "common": common,
        "keys": differing,
        "values": list(numbers),
        "runs": values,
        "absent": ABSENT,
    }


def _config(folder: Path | None) -> dict[str, str]:
    """``config.yaml`` by dotted keys; nothing where there is none."""
    file = None if folder is None else folder / "config.yaml"
    if file is None or not file.is_file():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, if it was built
    try:
        loaded = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)
        return {key: shown(_placeless(value)) for key, value in flatten(loaded or {})}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        reason = str(error).replace("\n", " ")
        raise UserError(f"{file} is damaged ({reason}): start this run anew") from error


def _placeless(value: Any) -> Any:
    """Absolute paths without the folders above: pages are published, and machines differ."""
    if isinstance(value, list):
        return [_placeless(one) for one in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return f"…/{Path(value).name}"
    return value
