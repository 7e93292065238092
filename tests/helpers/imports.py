"""What a process has imported, as ``PYTHONPROFILEIMPORTTIME=1`` prints it."""

from __future__ import annotations

import re


def imported(stderr: str) -> set[str]:
    """Names of all modules without dots in what the process printed; it indents those of others."""
    return set(re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+([^\s.]+)$", stderr, re.MULTILINE))
