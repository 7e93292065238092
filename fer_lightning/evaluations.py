"""Files in which measurements are kept, so that the same one is not made twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fer_lightning.errors import UserError


def finished(path: Path) -> dict[str, Any] | None:
    """What a file holds that an earlier command has written, or None where there is none.

    Raises:
        UserError: If it is damaged.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = content["metrics"], content["protocol"]
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error
    return content


def damaged(path: Path, error: Exception) -> UserError:
    """That a file does not hold what it should, and the remedy."""
    return UserError(f"{path} is damaged ({error!r}): delete it, or pass force=true")
