"""Weights & Biases as a window on a run: everything in it is in the run folder, too."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from fer_lightning.config.schema import LoggerConfig, WandbMode
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.runs import RunFolder

INIT_SECONDS = 30.0
"""How long W&B may look for its server; then the run is written offline."""
FINISH_SECONDS = 120.0
"""How long it may upload at the end; the rest stays on disk for ``wandb sync``."""


class WandbMirror(Logger):
    """One W&B run a job, finished with the job's exit status.

    Its id is that of the run folder, so that a continued run is the same one there. An
    offline run cannot be continued by W&B, so the rows of ``metrics.csv`` are written again: the
    attempt that is synchronised last holds the whole history. Whatever goes wrong at W&B is said
    once, and training goes on without it.

    Args:
        folder: The run.
        config: Mode, project, entity and group.
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
        self.config = config
        self.resolved = resolved
        self.metrics = metrics
        self._run: Any = None

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
        """Start or continue the run."""
        mode = self.config.wandb
        if mode is WandbMode.disabled:
            return
        self._try(lambda: self._open(mode))
        if self._run is None and mode is WandbMode.online:
            self._try(self._open_after_failure)
            if self._run is not None:
                print("fer: warning: W&B goes on offline; `wandb sync` uploads it", file=sys.stderr)

    def _open_after_failure(self) -> None:
        import wandb

        wandb.teardown()  # what is left of the attempt still holds the run's id
        self._open(WandbMode.offline)

    def _open(self, mode: WandbMode) -> None:
        import wandb  # imported only where it is wanted

        # W&B logs into the run folder: on a full disk logging would print tracebacks.
        logging.raiseExceptions = False
        settings: dict[str, Any] = {"init_timeout": INIT_SECONDS, "console": "off", "silent": True}
        if "finish_timeout" in wandb.Settings.model_fields:  # newer releases
            settings["finish_timeout"] = FINISH_SECONDS
        run = wandb.init(
            project=self.config.project,
            entity=self.config.entity,
            group=self.config.group,
            job_type="train",
            name=self.folder.path.name,
            id=self.folder.id,
            dir=self.folder.path,
            config=dict(self.resolved),
            mode=mode.value,
            resume="allow" if mode is WandbMode.online else None,
            reinit="finish_previous",
            settings=wandb.Settings(**settings),
        )
        run.define_metric("images_seen")
        run.define_metric("*", step_metric="images_seen")
        self._run = run
        # An online run knows what it has; an offline one begins with nothing.
        summary: Any = run.summary
        known = summary.get("images_seen", -1) if run.resumed else -1
        for row in self.metrics.rows():
            if int(row["images_seen"]) > known:
                self._log({name: float(value) for name, value in row.items() if value})

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: the run was opened with them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log a row.

        Args:
            metrics: Names and values.
            step: The clock, in real images seen.
        """
        self._try(lambda: self._log({"images_seen": step, **metrics}))

    @rank_zero_only
    def log_picture(self, name: str, path: Path, images_seen: int) -> None:
        """Log a picture file."""

        def log() -> None:
            import wandb

            self._log({"images_seen": images_seen, name: wandb.Image(str(path))})

        if self._run is not None:
            self._try(log)

    def _log(self, values: Mapping[str, Any]) -> None:
        if self._run is not None:
            self._run.log(dict(values))

    @rank_zero_only
    def close(self, status: int) -> None:
        """Finish the run with the job's exit status; anything but 0 shows as failed."""
        if self._run is not None:
            run = self._run
            self._try(lambda: run.finish(exit_code=status))
            self._run = None

    def _try(self, call: Callable[[], None]) -> None:
        """Nothing at W&B is worth a run: say what went wrong, once, and go on without it."""
        try:
            call()
        except Exception as error:
            self._run = None
            reason = str(error).strip().splitlines()
            print(
                f"fer: warning: W&B stopped logging ({reason[0] if reason else error!r}); "
                "metrics.csv holds everything",
                file=sys.stderr,
            )
