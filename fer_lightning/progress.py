"""Progress bars, one look for all jobs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

LOG_SECONDS = 30.0
"""How often a bar is printed where nobody watches it, such as in a cluster's log file."""


def progress_bar(
    iterable: Iterable[Any] | None = None, *, desc: str, unit: str, **options: Any
) -> tqdm[Any]:
    """A bar on standard error with rate and time left; sparse when that is no terminal."""
    watched = sys.stderr.isatty()
    return tqdm(
        iterable,
        desc=desc,
        unit=unit,
        dynamic_ncols=watched,
        mininterval=0.1 if watched else LOG_SECONDS,
        **options,
    )
