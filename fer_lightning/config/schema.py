"""What ``fer prepare``, ``fer train`` and ``fer corpora`` take; other jobs have files of their own.

``conf/<job>.yaml`` composes these; :func:`fer_lightning.config.compose.to_typed` turns the
composed mapping into them before any work starts. Fields marked ``NOT_IDENTITY`` do not change
a result and stay out of the run's hash, as all paths do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from fer_lightning.config.domains import DomainsConfig
from fer_lightning.config.evaluate import EvaluationConfig
from fer_lightning.config.logger import LoggerConfig
from fer_lightning.config.objective import check_objective
from fer_lightning.config.plain import LATER, NOT_IDENTITY
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureConfig
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import AdversarialConfig, ModelConfig

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "64-true", "bf16-true", "16-true")
"""What Lightning's trainer understands."""
COMPILE_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
"""What :func:`torch.compile` understands."""


@dataclass(kw_only=True)
class TrainerConfig:
    """How long and on what a model trains.

    Attributes:
        max_images: Real images to train on in all; the run can be continued with more later.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        devices: Number of devices; each takes its share of every batch.
        sync_batchnorm: Batch norm over all devices; on GPUs alone, as in PyTorch.
        precision: Lightning's precision flag, such as ``32-true`` or ``bf16-mixed``.
        compile: Mode of ``torch.compile`` for the networks: ``default``, ``reduce-overhead`` (with
            CUDA graphs) or ``max-autotune``; None runs them as they are. It costs a minute at the
            start, and a C++ compiler is needed.
        checkpoint_images: Save ``checkpoints/last.ckpt`` after every so many images.
        sample_images: Draw a sample grid after every so many images.
        evaluate_images: Measure the model against the validation part after every so many images
            and at the end; None never does.
        log_images: Write losses to ``metrics.csv`` after every so many images.
        progress: Show a progress bar.
    """

    max_images: int = field(default=100_000, metadata=NOT_IDENTITY)
    accelerator: str = field(default="auto", metadata=NOT_IDENTITY)
    devices: int = field(default=1, metadata=NOT_IDENTITY)
    sync_batchnorm: bool = field(default=False, metadata=NOT_IDENTITY)
    precision: str = "32-true"
    compile: str | None = field(default=None, metadata=NOT_IDENTITY)
    checkpoint_images: int = field(default=20_000, metadata=NOT_IDENTITY)
    sample_images: int = field(default=20_000, metadata=NOT_IDENTITY)
    evaluate_images: int | None = field(default=None, metadata=NOT_IDENTITY)
    log_images: int = field(default=2_000, metadata=NOT_IDENTITY)
    progress: bool = field(default=True, metadata=NOT_IDENTITY)

    def __post_init__(self) -> None:
        for key in ("max_images", "devices", "checkpoint_images", "sample_images", "log_images"):
            if getattr(self, key) < 1:
                raise UserError(f"trainer.{key}={getattr(self, key)}: give at least 1")
        if self.evaluate_images is not None and self.evaluate_images < 1:
            raise UserError(
                f"trainer.evaluate_images={self.evaluate_images}: give at least 1, or null"
            )
        if self.precision not in PRECISIONS:
            raise UserError(f"trainer.precision={self.precision}: choose from {PRECISIONS}")
        if self.compile not in (None, *COMPILE_MODES):
            raise UserError(f"trainer.compile={self.compile}: choose from {COMPILE_MODES}, or null")
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"trainer.accelerator={self.accelerator}: choose auto, cpu or gpu")


@dataclass(kw_only=True)
class FaceConfig:
    """What every job that handles faces states about them.

    Attributes:
        data: The corpus, and how it is split and fed.
        detector: Finds and crops faces, for data blocks without a detector of their own.
        image_size: Side of the square crops in pixels.
        channels: 1 (gray) or 3 (RGB); None keeps what the corpus delivers.
    """

    data: Corpus = MISSING
    detector: DetectorConfig = MISSING
    image_size: int = 64
    channels: int | None = None

    def __post_init__(self) -> None:
        if self.image_size < 8:
            raise UserError(f"image_size={self.image_size}: give at least 8 pixels")
        if self.channels not in (None, 1, 3):
            raise UserError(f"channels={self.channels}: give 1 (gray) or 3 (RGB)")


@dataclass(kw_only=True)
class CorporaConfig:
    """``fer corpora``: list the datasets that can be read.

    Attributes:
        corpus: One of them, to be described in full; None lists all.
    """

    corpus: str | None = None


@dataclass(kw_only=True)
class PrepareConfig(FaceConfig):
    """``fer prepare``: cut the faces of a corpus into an archive.

    Attributes:
        archive: Folder to write; None names it by hash under ``$FER_ARCHIVES`` or ``archives``.
        workers: Processes; None takes one a core.
        force: Replace an archive that was made from something else.
    """

    archive: Path | None = None
    workers: int | None = None
    force: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workers is not None and self.workers < 1:
            raise UserError(f"workers={self.workers}: give at least 1, or null for one a core")


@dataclass(kw_only=True)
class TrainConfig(FaceConfig):
    """``fer train``: train a model.

    Attributes:
        domains: Two data blocks in place of ``data``, for a model that translates. ``data`` then
            stands for the source, which says how batches are fed.
        model: The system and its hyper-parameters.
        trainer: Length, device and intervals.
        logger: Windows besides ``metrics.csv``.
        feature: Feature network of the evaluations while training; None is pixels alone.
        evaluation: Protocol of those evaluations.
        seed: Seeds weights, batches and noise.
        run_dir: Run folder; None names it by hash under ``multirun/train``.
        objective: Metric of ``results.json`` that a search goes by, or a list of them.
        force: Start anew in a run folder that holds something else or is finished.
    """

    domains: DomainsConfig | None = field(default=None, metadata=LATER)
    model: ModelConfig = MISSING
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig, metadata=NOT_IDENTITY)
    feature: FeatureConfig | None = field(default=None, metadata=NOT_IDENTITY)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig, metadata=NOT_IDENTITY)
    seed: int = 0
    run_dir: Path | None = None
    objective: Any = field(default=None, metadata=NOT_IDENTITY)
    force: bool = field(default=False, metadata=NOT_IDENTITY)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_objective(self.objective)
        self._check_domains()
        self.model.check(self.image_size)
        self._check_schedule()
        clip = 0.0
        if isinstance(self.model, AdversarialConfig | ClassifierConfig):
            clip = self.model.gradient_clip
        if clip and self.trainer.precision == "16-mixed":
            raise UserError(
                f"model.gradient_clip={clip} would clip gradients that trainer.precision=16-mixed "
                "has scaled: use bf16-mixed"
            )
        if self.data.soft_labels and isinstance(self.model, AdversarialConfig):
            raise UserError(f"data.soft_labels=true is for model=classifier, not {self.model.name}")
        asked = self.feature is not None or self.evaluation != EvaluationConfig()
        if isinstance(self.model, ClassifierConfig):
            self._check_lengths(self.model)
            if asked or self.trainer.evaluate_images is not None:
                raise UserError(
                    "trainer.evaluate_images=, evaluation.* and feature= are for models that "
                    "generate; a classifier is measured every model.validation_images"
                )
        elif (self.domains is not None or self.model.edits) and (
            asked or self.trainer.evaluate_images is not None
        ):
            measured = "edits" if self.model.edits else "translations"
            raise UserError(
                "trainer.evaluate_images=, evaluation.* and feature= are for models that generate; "
                f"{measured} are measured by `fer evaluate`"
            )
        elif asked and self.trainer.evaluate_images is None:
            raise UserError(
                "feature= and evaluation.* are for measuring while training: pass "
                "trainer.evaluate_images=N, too, or use `fer evaluate` afterwards"
            )
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed={self.seed}: give 0 to {2**32 - 1}")

    def _check_domains(self) -> None:
        """Two domains for a model that translates, and for no other."""
        if self.domains is None:
            if self.model.translates:
                raise UserError(
                    f"model={self.model.name} translates between two domains: pass "
                    "data@domains.source=NAME and data@domains.target=NAME"
                )
            return
        if not self.model.translates:
            raise UserError(
                f"data@domains.source= and data@domains.target= are for models that translate, "
                f"such as egc_gan; give model={self.model.name} its faces by data=NAME"
            )
        self.data = self.domains.source

    @property
    def blocks(self) -> list[Corpus]:
        """The data blocks that it trains on, one or two."""
        return [self.data] if self.domains is None else [self.domains.source, self.domains.target]

    def _check_schedule(self) -> None:
        """Refuse a training at a step size of zero."""
        length, end = self.trainer.max_images, getattr(self.model, "schedule_images", None)
        if end is not None and end < length:
            raise UserError(
                f"model.schedule_images={end}: the step size is zero before "
                f"trainer.max_images={length} is reached; give as many"
            )

    def _check_lengths(self, model: ClassifierConfig) -> None:
        """Refuse a training that never gets to its full step size."""
        length = self.trainer.max_images
        if model.warmup_images > length:
            raise UserError(
                f"model.warmup_images={model.warmup_images} is longer than "
                f"trainer.max_images={length}"
            )
