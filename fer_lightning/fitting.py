"""What stands around a model while it trains: trainer, callbacks and loggers."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy

from fer_lightning.callbacks.agreement import SameRun
from fer_lightning.callbacks.checkpointing import Checkpointing
from fer_lightning.callbacks.collapse import CollapseWatch
from fer_lightning.callbacks.divergence import DivergenceGuard
from fer_lightning.callbacks.gamut_sheet import GamutSheet
from fer_lightning.callbacks.losses import LossLog
from fer_lightning.callbacks.progress import ImagesBar
from fer_lightning.callbacks.sample_grid import SampleGrid
from fer_lightning.callbacks.stopping import Stopping
from fer_lightning.callbacks.translation_sheet import TranslationSheet
from fer_lightning.config.evaluate import RecognitionConfig
from fer_lightning.config.plain import to_plain
from fer_lightning.config.schema import TrainConfig, TrainerConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.domains import DomainDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.metrics.evaluator import Evaluator
from fer_lightning.metrics.generation import GenerationEvaluator
from fer_lightning.metrics.recognition import RecognitionEvaluator
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import AdversarialConfig
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
        alternating: Whether a loss may leave out some of the weights, as a GAN's do.
        callbacks: All of them, in the order in which they are called.
    """

    metrics: MetricsFile
    window: WandbMirror
    stopping: Stopping
    checkpointing: Checkpointing
    evaluator: Evaluator[Any] | None
    losses: LossLog
    alternating: bool
    callbacks: list[lightning.Callback]

    @classmethod
    def over(
        cls, config: TrainConfig, faces: FaceDataModule | DomainDataModule, folder: RunFolder
    ) -> Watch:
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
            *_pictures(config, faces, folder),
            *([] if evaluator is None else [evaluator]),
            checkpointing,
            *([ImagesBar(length.max_images)] if length.progress else []),
        ]
        alternating = not isinstance(config.model, ClassifierConfig)
        return cls(
            metrics, window, stopping, checkpointing, evaluator, losses, alternating, callbacks
        )

    def trainer(self, length: TrainerConfig, folder: RunFolder) -> lightning.Trainer:
        """Lightning's trainer; its clock is not used, ours ends the run."""
        parallel = DDPStrategy(find_unused_parameters=self.alternating, timeout=PATIENCE)
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


def _pictures(
    config: TrainConfig, faces: FaceDataModule | DomainDataModule, folder: RunFolder
) -> list[lightning.Callback]:
    """What looks at the images that a model makes."""
    interval, seed = config.trainer.sample_images, config.seed
    if isinstance(faces, DomainDataModule):
        return [TranslationSheet(folder.samples, interval, faces.source, faces.target, seed)]
    if config.model.edits:
        return [GamutSheet(folder.samples, interval, faces, seed)]
    if not isinstance(config.model, AdversarialConfig):
        return []
    return [
        SampleGrid(folder.samples, interval, seed),
        CollapseWatch(faces, interval, config.trainer.max_images, seed),
    ]


def _evaluator(
    config: TrainConfig, faces: FaceDataModule | DomainDataModule
) -> Evaluator[Any] | None:
    """What measures the validation part while the model trains."""
    model, length = config.model, config.trainer
    if isinstance(faces, DomainDataModule):
        return None  # translations are measured by `fer evaluate`
    if isinstance(model, ClassifierConfig):
        if len(faces.division["val"]) < 2:
            if model.heeds_validation:
                raise UserError(
                    f"the validation part has {len(faces.division['val'])} images, and this "
                    "training goes by it: give more (data.split.val), or pass "
                    "model.keep_best=false model.patience=0 and another model.schedule than plateau"
                )
            return None  # nobody needs what there is not
        return RecognitionEvaluator(
            faces, "val", RecognitionConfig(), model.validation_images, length.max_images
        )
    if length.evaluate_images is None:
        return None
    return GenerationEvaluator(
        faces,
        "val",
        [] if config.feature is None else [config.feature],
        config.evaluation,
        length.evaluate_images,
        max_images=length.max_images,
    )


def log_to(path: Path) -> None:
    """Lightning's notices go into a file: few of them fit our own loader and clock."""
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
