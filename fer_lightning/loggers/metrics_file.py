"""``metrics.csv``: the truth about a run."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only


class MetricsFile(Logger):
    """``metrics.csv`` in the run folder: a row whenever something was logged, extended on resume.

    Lightning's own CSV logger deletes the file when a run is resumed. Each row is written at
    once, so a killed run keeps them all.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.columns = ["images_seen"]
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                self.columns = next(csv.reader(file), self.columns)

    @property
    def name(self) -> str:
        """Lightning asks for a name; the run folder has it."""
        return ""

    @property
    def version(self) -> str:
        """Lightning asks for a version; the run folder's hash is it."""
        return ""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: ``config.yaml`` holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append a row.

        Args:
            metrics: Columns and values.
            step: The clock, in real images seen.
        """
        row = {"images_seen": step, **metrics}
        new = [name for name in row if name not in self.columns]
        if new or not self.path.is_file():
            self._rewrite(self.rows(), [*self.columns, *new])
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns).writerow(row)
            file.flush()
            os.fsync(file.fileno())  # a checkpoint that comes after it counts on it

    def rows(self) -> list[dict[str, str]]:
        """All rows as text, oldest first; a cell that was not logged is empty."""
        if not self.path.is_file():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            text = file.read()
        # A full disk or a power cut may have torn the last row.
        return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))

    def rewind(self, images_seen: int) -> None:
        """Forget what was logged after a checkpoint, since training will log it again."""
        kept = [row for row in self.rows() if int(row["images_seen"]) <= images_seen]
        self._rewrite(kept, self.columns)

    def _rewrite(self, rows: list[dict[str, str]], columns: list[str]) -> None:
        self.columns = columns
        unfinished = self.path.with_suffix(".csv.unfinished")
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        unfinished.replace(self.path)
