"""A run at Weights & Biases that can neither stop nor end the job that it shows."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_lightning import prefetched
from fer_lightning.config.logger import LONGEST_TAG, LoggerConfig, WandbMode

INIT_SECONDS = 30.0
"""How long W&B may look for its server; then the run is written offline."""
FINISH_SECONDS = 120.0
"""How long it may upload at the end; the rest stays on disk for ``wandb sync``."""


class WandbRun:
    """One W&B run, finished with its job's exit status.

    Whatever goes wrong at W&B is said once, and the job goes on without it. Where no network is
    to be reached (:mod:`fer_lightning.prefetched`), an online run is written offline.

    Args:
        config: Mode, project, entity, group and tags.
        job: The job, W&B's job type.
        truth: The file that holds everything, for the warning.

    Attributes:
        run: W&B's own object; None where nothing is written.
    """

    def __init__(self, config: LoggerConfig, job: str, truth: str) -> None:
        self.config = config
        self.job = job
        self.truth = truth
        self.run: Any = None

    def open(
        self, folder: Path, name: str, key: str, resolved: Mapping[str, Any], tags: Sequence[str]
    ) -> None:
        """Start or continue the run.

        Args:
            folder: In which ``wandb/`` is written.
            name: Shown for it.
            key: Equal for the same run; an online one is continued by it.
            resolved: Its configuration as plain data.
            tags: What it is, besides the user's tags.
        """
        mode = self.config.wandb
        if mode is WandbMode.disabled:
            return
        if mode is WandbMode.online and prefetched.folder() is not None:
            mode = WandbMode.offline
            _say(f"{prefetched.VARIABLE} is set, so W&B writes offline; `wandb sync` uploads it")
        every = dict.fromkeys(tag[:LONGEST_TAG] for tag in (*tags, *self.config.tags) if tag)
        wanted: dict[str, Any] = {
            "project": self.config.project,
            "entity": self.config.entity,
            "group": self.config.group,
            "job_type": self.job,
            "name": name,
            "id": key,
            "dir": folder,
            "config": dict(resolved),
            "tags": list(every),
        }
        self.attempt(lambda: self._open(wanted, mode))
        if self.run is None and mode is WandbMode.online:
            self.attempt(lambda: self._open_after_failure(wanted))
            if self.run is not None:
                _say("W&B goes on offline; `wandb sync` uploads it")

    def _open_after_failure(self, wanted: Mapping[str, Any]) -> None:
        import wandb

        wandb.teardown()  # what is left of the attempt still holds the run's id
        self._open(wanted, WandbMode.offline)

    def _open(self, wanted: Mapping[str, Any], mode: WandbMode) -> None:
        if mode is WandbMode.offline:
            # Read on import: W&B 0.31 tells its server how it is used, offline, too.
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb  # imported only where it is wanted

        # W&B logs into the run folder: on a full disk logging would print tracebacks.
        logging.raiseExceptions = False
        settings: dict[str, Any] = {"init_timeout": INIT_SECONDS, "console": "off", "silent": True}
        if "finish_timeout" in wandb.Settings.model_fields:  # newer releases
            settings["finish_timeout"] = FINISH_SECONDS
        run = wandb.init(
            **wanted,
            mode=mode.value,
            resume="allow" if mode is WandbMode.online else None,
            reinit="finish_previous",
            settings=wandb.Settings(**settings),
        )
        run.define_metric("images_seen")
        run.define_metric("*", step_metric="images_seen")
        self.run = run

    def log(self, values: Mapping[str, Any]) -> None:
        """Log a row; ``images_seen`` in it is its place on the x axis."""
        if self.run is not None:
            self.run.log(dict(values))

    def close(self, status: int) -> None:
        """Finish the run with the job's exit status; anything but 0 shows as failed."""
        if self.run is not None:
            run = self.run
            self.attempt(lambda: run.finish(exit_code=status))
            self.run = None

    def attempt(self, call: Callable[[], None]) -> None:
        """Nothing at W&B is worth a job: say what went wrong, once, and go on without it."""
        try:
            call()
        except Exception as error:
            self.run = None
            reason = str(error).strip().splitlines()
            _say(
                f"W&B stopped logging ({reason[0] if reason else error!r}); {self.truth} holds "
                "everything"
            )


def _say(text: str) -> None:
    print(f"fer: warning: {text}", file=sys.stderr)
