"""Weights & Biases as a window on a training: everything in it is in the run folder, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from fer_lightning.config.logger import LoggerConfig
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.loggers.wandb_run import WandbRun
from fer_lightning.runs import RunFolder


class WandbMirror(Logger):
    """One W&B run a training, finished with the job's exit status.

    Its id is that of the run folder, so that a continued run is the same one there. An
    offline run cannot be continued by W&B, so the rows of ``metrics.csv`` are written again: the
    attempt that is synchronised last holds the whole history.

    Args:
        folder: The run.
        config: Mode, project, entity, group and tags.
        resolved: The whole configuration as plain data.
        metrics: The file that it mirrors.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: LoggerConfig,
        resolved: Mapping[str, Any],
        metrics: MetricsFile,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.resolved = resolved
        self.metrics = metrics
        self.window = WandbRun(config, "train", metrics.path.name)
        self._known = -1
        """Images seen up to which an online run has its rows from an earlier start."""

    @property
    def name(self) -> str:
        """Lightning asks for a name; the run folder has it."""
        return ""

    @property
    def version(self) -> str:
        """Lightning asks for a version; the run folder's hash is it."""
        return ""

    @rank_zero_only
    def open(self) -> None:
        """Start or continue the run, and give it the rows that it lacks."""
        place = self.folder.path
        tags = tags_of(self.resolved)
        self.window.open(place, place.name, self.folder.id, self.resolved, tags)
        if self.window.run is not None:
            self.window.attempt(self._catch_up)

    def _catch_up(self) -> None:
        """An online run knows what it has; an offline one begins with nothing."""
        if self.window.run.resumed:
            summary: Any = self.window.run.summary
            self._known = int(summary.get("images_seen", -1))
        for row in self.metrics.rows():
            if int(row["images_seen"]) > self._known:
                self.window.log({name: float(value) for name, value in row.items() if value})

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: the run was opened with them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log a row, unless it was there before a checkpoint was gone back to.

        Args:
            metrics: Names and values.
            step: The clock, in real images seen.
        """
        if step is None or step > self._known:
            self.window.attempt(lambda: self.window.log({"images_seen": step, **metrics}))

    @rank_zero_only
    def log_picture(self, name: str, path: Path, images_seen: int) -> None:
        """Log a picture file."""

        def log() -> None:
            import wandb

            self.window.log({"images_seen": images_seen, name: wandb.Image(str(path))})

        if self.window.run is not None and images_seen > self._known:
            self.window.attempt(log)

    @rank_zero_only
    def close(self, status: int) -> None:
        """Finish the run with the job's exit status; anything but 0 shows as failed."""
        self.window.close(status)


def tags_of(resolved: Mapping[str, Any]) -> list[str]:
    """The model and the faces of a training's configuration, as W&B's tags.

    Args:
        resolved: The configuration as plain data.
    """
    domains = resolved.get("domains") or {"data": resolved.get("data") or {}}
    # Beside a given archive the name is that of a corpus that nobody has read.
    faces = [block for block in domains.values() if block and not block.get("archive")]
    blocks = [resolved.get("model") or {}, *faces]
    return [str(block["name"]) for block in blocks if block.get("name")]
