"""What each job takes: one typed root configuration a job.

``conf/<job>.yaml`` composes these; :func:`fer_lightning.config.compose.to_typed` turns the
composed mapping into them before any work starts. Fields marked ``NOT_IDENTITY`` do not change
a result and stay out of the run's hash, as all paths do.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import MISSING

from fer_lightning.config.plain import NOT_IDENTITY
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureConfig
from fer_lightning.labels import EMOTIONS, SPLITS
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


class WandbMode(enum.Enum):
    """Where W&B writes, in its own words."""

    online = "online"
    offline = "offline"
    disabled = "disabled"


@dataclass(kw_only=True)
class LoggerConfig:
    """Windows on a run besides ``metrics.csv``, which is always written.

    Attributes:
        wandb: ``offline`` (into the run folder), ``online``, or ``disabled``.
        project: W&B project.
        entity: W&B team or user; None is the account's default.
        group: W&B group; a study gives its own name.
    """

    wandb: WandbMode = WandbMode.offline
    project: str = "fer_lightning"
    entity: str | None = None
    group: str | None = None


@dataclass(kw_only=True)
class EvaluationConfig:
    """The part of an evaluation's protocol that a user chooses.

    Attributes:
        count: Generated images, with the labels of as many real ones; None is one for every real
            image. Where there are more real images, a stratified draw of ``count`` is used.
        per_class: Also measure each class alone.
        neighbours: k of precision, recall, density and coverage.
        seed: Draws the noise and the real images.
        batch_size: Images generated at once.
    """

    count: int | None = None
    per_class: bool = True
    neighbours: int = 5
    seed: int = 0
    batch_size: int = 256

    def __post_init__(self) -> None:
        for key in ("count", "neighbours", "batch_size"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise UserError(f"evaluation.{key}={value}: give at least 1")
        if self.seed < 0:
            raise UserError(f"evaluation.seed={self.seed}: give 0 or more")


@dataclass(kw_only=True)
class RecognitionConfig:
    """How a classifier is measured.

    Attributes:
        flip: Average each face's probabilities with those of its mirror image.
        bootstrap: Resamples of the measured images, for 95 % intervals.
        seed: Draws the resamples.
        batch_size: Images shown at once.
    """

    flip: bool = False
    bootstrap: int = 1000
    seed: int = 0
    batch_size: int = 256

    def __post_init__(self) -> None:
        for key in ("bootstrap", "batch_size"):
            if getattr(self, key) < 1:
                raise UserError(f"recognition.{key}={getattr(self, key)}: give at least 1")
        if self.seed < 0:
            raise UserError(f"recognition.seed={self.seed}: give 0 or more")


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
        model: The system and its hyper-parameters.
        trainer: Length, device and intervals.
        logger: Windows besides ``metrics.csv``.
        feature: Feature network of the evaluations while training; None is pixels alone.
        evaluation: Protocol of those evaluations.
        seed: Seeds weights, batches and noise.
        run_dir: Run folder; None names it by hash under ``multirun/train``.
        force: Start anew in a run folder that holds something else or is finished.
    """

    model: ModelConfig = MISSING
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig, metadata=NOT_IDENTITY)
    feature: FeatureConfig | None = field(default=None, metadata=NOT_IDENTITY)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig, metadata=NOT_IDENTITY)
    seed: int = 0
    run_dir: Path | None = None
    force: bool = field(default=False, metadata=NOT_IDENTITY)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.model.check(self.image_size)
        clip = self.model.gradient_clip if isinstance(self.model, AdversarialConfig) else 0
        if clip and self.trainer.precision == "16-mixed":
            raise UserError(
                f"model.gradient_clip={clip} would clip gradients that trainer.precision=16-mixed "
                "has scaled: use bf16-mixed"
            )
        if self.trainer.evaluate_images is not None and not isinstance(
            self.model, AdversarialConfig
        ):
            raise UserError(
                f"trainer.evaluate_images={self.trainer.evaluate_images} is for models that "
                "generate; a classifier is measured every model.validation_images"
            )
        if self.data.soft_labels and not isinstance(self.model, ClassifierConfig):
            raise UserError(f"data.soft_labels=true is for model=classifier, not {self.model.name}")
        asked = self.feature is not None or self.evaluation != EvaluationConfig()
        if asked and self.trainer.evaluate_images is None:
            raise UserError(
                "feature= and evaluation.* are for measuring while training: pass "
                "trainer.evaluate_images=N, too, or use `fer evaluate` afterwards"
            )
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed={self.seed}: give 0 to {2**32 - 1}")


@dataclass(kw_only=True)
class EvaluateConfig:
    """``fer evaluate``: measure a trained model on real faces.

    Attributes:
        run: Run folder of the model.
        data: Real faces; None takes the archive and the split of the run.
        detector: Crops them, for a data block without a detector of its own.
        split: Part of the real faces: ``train``, ``val``, ``test``, or ``all`` for every labelled
            image, whatever its part.
        feature: Feature network for generated images; pixels are measured in any case.
        evaluation: Counts, seed and batch size for models that generate.
        recognition: Mirroring and bootstrap for classifiers.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        force: Measure again what was measured before.
    """

    run: Path = MISSING
    data: Corpus | None = None
    detector: DetectorConfig | None = None
    split: str = "test"
    feature: FeatureConfig = MISSING
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    recognition: RecognitionConfig = field(default_factory=RecognitionConfig)
    accelerator: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        if self.split not in (*SPLITS, "all"):
            raise UserError(f"split={self.split}: choose from {', '.join(SPLITS)}, all")
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"accelerator={self.accelerator}: choose auto, cpu or gpu")


@dataclass(kw_only=True)
class GenerateConfig:
    """``fer generate``: draw labelled samples from a trained model into an archive.

    How many of each class is said by one of ``count``, ``fill``, ``ratio`` and ``counts``. Those
    that go by training images need no data: the checkpoint knows the counts.

    Attributes:
        run: Run folder of the model.
        count: Images in all, balanced over the model's classes; 700 where nothing else is given.
        fill: What a class lacks: up to the ``largest`` class of the training part, or up to this
            many images.
        ratio: Images for each training image of a class, to the nearest whole number.
        counts: Images of each emotion, ``counts.disgust=6779``; none of the others.
        archive: Folder to write; None is ``RUN/generated``.
        seed: Draws the noise.
        batch_size: Images generated at once.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        force: Replace an archive that was made from something else.
    """

    run: Path = MISSING
    count: int | None = None
    fill: int | str | None = None
    ratio: float | None = None
    # The names stand here so that Hydra takes them without a plus.
    counts: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(EMOTIONS))
    archive: Path | None = None
    seed: int = 0
    batch_size: int = 256
    accelerator: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"seed={self.seed}: give 0 or more")
        if self.batch_size < 1:
            raise UserError(f"batch_size={self.batch_size}: give at least 1")
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"accelerator={self.accelerator}: choose auto, cpu or gpu")
        self.counts = {name: n for name, n in self.counts.items() if n is not None}
        self._check_counts()

    def _check_counts(self) -> None:
        given = [key for key in ("count", "fill", "ratio") if getattr(self, key) is not None]
        given += ["counts"] * bool(self.counts)
        if len(given) > 1:
            raise UserError(
                f"{' and '.join(given)} each say how many images to draw: give one of them"
            )
        if not given:
            self.count = 700
        if self.count is not None and self.count < 1:
            raise UserError(f"count={self.count}: give at least 1")
        words = self.fill is None or self.fill == "largest"
        if not words and not (isinstance(self.fill, int) and self.fill > 0):
            raise UserError(f"fill={self.fill}: give largest, or images of each class, at least 1")
        if self.ratio is not None and not 0 < self.ratio < math.inf:
            raise UserError(f"ratio={self.ratio}: give a number above 0")
        for emotion, number in self.counts.items():
            if number is not None and number < 0:
                raise UserError(f"counts.{emotion}={number}: give 0 or more")
