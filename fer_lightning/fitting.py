"""What stands around a model while it trains: trainer, callbacks and loggers."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import lightning
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy

from fer_lightning.callbacks.agreement import SameRun
from fer_lightning.callbacks.checkpointing import Checkpointing
from fer_lightning.callbacks.divergence import DivergenceGuard
from fer_lightning.callbacks.losses import LossLog
from fer_lightning.callbacks.progress import ImagesBar
from fer_lightning.callbacks.sample_grid import SampleGrid
from fer_lightning.callbacks.stopping import Stopping
from fer_lightning.config.plain import to_plain
from fer_lightning.config.schema import TrainConfig, TrainerConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.metrics.evaluator import Evaluator
from fer_lightning.ranks import PATIENCE
from fer_lightning.runs import RunFolder


@dataclass(frozen=True)
class Watch:
    """Everything that looks on while a model trains.

    Attributes:
        metrics: ``metrics.csv``.
        window: W&B.
        stopping: Knows whether the user has stopped the run.
        checkpointing: Knows how long it has taken.
        evaluator: Measures while training, or None.
        losses: Knows the newest losses.
        callbacks: All of them, in the order in which they are called.
    """

    metrics: MetricsFile
    window: WandbMirror
    stopping: Stopping
    checkpointing: Checkpointing
    evaluator: Evaluator | None
    losses: LossLog
    callbacks: list[lightning.Callback]

    @classmethod
    def over(cls, config: TrainConfig, faces: FaceDataModule, folder: RunFolder) -> Watch:
        """What this configuration asks for."""
        length = config.trainer
        metrics = MetricsFile(folder.path / "metrics.csv")
        window = WandbMirror(folder, config.logger, to_plain(config), metrics)
        stopping = Stopping(length.max_images)
        checkpointing = Checkpointing(folder.checkpoint, length.checkpoint_images)
        evaluator = _evaluator(config, faces)
        losses = LossLog(length.log_images, length.max_images)
        callbacks: list[lightning.Callback] = [
            SameRun(digest([folder.identity, length.max_images])),
            stopping,
            DivergenceGuard(length.log_images, length.max_images),
            losses,
            SampleGrid(folder.samples, length.sample_images, config.seed),
            *([] if evaluator is None else [evaluator]),
            checkpointing,
            *([ImagesBar(length.max_images)] if length.progress else []),
        ]
        return cls(metrics, window, stopping, checkpointing, evaluator, losses, callbacks)

    def trainer(self, length: TrainerConfig, folder: RunFolder) -> lightning.Trainer:
        """Lightning's trainer; its clock is not used, ours ends the run."""
        # A GAN's losses use one network's parameters at a time, hence find_unused_parameters.
        parallel = DDPStrategy(find_unused_parameters=True, timeout=PATIENCE)
        return lightning.Trainer(
            accelerator=length.accelerator,
            devices=length.devices,
            strategy="auto" if length.devices == 1 else parallel,
            plugins=LightningEnvironment(),  # also under SLURM, whose signals and tasks are ours
            sync_batchnorm=length.sync_batchnorm,
            precision=length.precision,  # type: ignore[arg-type]  # checked by its schema
            max_epochs=-1,
            logger=[self.metrics, self.window],
            callbacks=self.callbacks,
            default_root_dir=folder.path,
            limit_val_batches=0,
            use_distributed_sampler=False,  # our loader shares its batches itself
            enable_progress_bar=False,
            enable_model_summary=False,
        )


def _evaluator(config: TrainConfig, faces: FaceDataModule) -> Evaluator | None:
    if config.trainer.evaluate_images is None:
        return None
    return Evaluator(
        faces,
        "val",
        [] if config.feature is None else [config.feature],
        config.evaluation,
        config.trainer.evaluate_images,
        max_images=config.trainer.max_images,
    )


def log_to(path: Path) -> None:
    """Lightning's notices go into a file: few of them fit a GAN on our own loader."""
    warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated.*")
    logging.captureWarnings(True)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("lightning.pytorch", "lightning.fabric", "py.warnings"):
        logger = logging.getLogger(name)
        for earlier in logger.handlers:  # another cell's of this sweep
            earlier.close()
        logger.handlers = [handler]
        logger.propagate = False
