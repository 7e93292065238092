"""How a cell of the pool tells the pool what it made: a small file named by ``FER_RESULT``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fer_lightning.errors import UserError
from fer_lightning.runs import JobResult, write_json

VARIABLE = "FER_RESULT"
"""Environment variable with the path of the file; nothing is written where it is not set."""


def report(result: Any) -> None:
    """Write what a job returned, if a pool has asked for it.

    Args:
        result: A :class:`JobResult`, or anything else with a ``path``, such as an archive.
    """
    place = os.environ.get(VARIABLE)
    # The further processes of a run on several devices inherit the variable; one report is enough.
    if not place or os.environ.get("LOCAL_RANK", "0") != "0":
        return
    if getattr(result, "path", None) is None:
        return  # a job such as ``compare`` may print all that it has to say
    metrics = getattr(result, "metrics", {})
    write_json(
        Path(place),
        {
            "path": str(result.path),
            "metrics": {name: float(value) for name, value in metrics.items()},
            "status": int(getattr(result, "status", 0)),
            "objectives": list(getattr(result, "objectives", [])),
        },
    )


def read_report(path: Path) -> JobResult | None:
    """What a cell reported, or None if it reported nothing.

    Raises:
        UserError: If the file is damaged.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        objectives = tuple(loaded.get("objectives", ()))
        return JobResult(Path(loaded["path"]), loaded["metrics"], loaded["status"], objectives)
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no report of a job ({error}): run the job again") from error
