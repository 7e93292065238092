"""What ``fer evaluate`` takes, and how models are measured while they train."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from fer_lightning.config.logger import LoggerConfig
from fer_lightning.config.objective import check_objective
from fer_lightning.config.plain import LATER
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureConfig
from fer_lightning.labels import SPLITS


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
        ssim: Also measure the structural similarity of 200 generated images to the nearest of
            1,000 real ones and to each other, which takes up to a minute at 64 pixels on one core.
    """

    count: int | None = None
    per_class: bool = True
    neighbours: int = 5
    seed: int = 0
    batch_size: int = 256
    ssim: bool = field(default=False, metadata=LATER)

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
class TranslationConfig:
    """How a model that translates faces is measured.

    Attributes:
        classifiers: Runs of `fer train model=classifier` on the target domain that name the faces
            before and after, or ``experiment:NAME``, trained first where that run is missing;
            empty takes the one that the model was trained against.
        seed: Draws the faces of the sheet.
        batch_size: Images translated at once.
    """

    classifiers: list[Path] = field(default_factory=list)
    seed: int = 0
    batch_size: int = 256

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise UserError(f"translation.batch_size={self.batch_size}: give at least 1")
        if self.seed < 0:
            raise UserError(f"translation.seed={self.seed}: give 0 or more")


@dataclass(kw_only=True)
class EditingConfig:
    """How a model that edits faces is measured.

    Attributes:
        classifiers: Runs of `fer train model=classifier` that say what edits show, or
            ``experiment:NAME``, trained first where that run is missing. Each should have been
            trained on faces of another corpus, or of other people, cut by the same detector.
        intensity: Of the edits, in (0, 1].
        count: Real faces that are edited, a stratified draw; None takes all.
        curve_faces: Neutral faces among them that are led along every emotion, at ten intensities;
            None takes all.
        seed: Draws faces and the emotions that they are edited to.
        batch_size: Images edited at once.
    """

    classifiers: list[Path] = field(default_factory=list)
    intensity: float = 1.0
    count: int | None = None
    curve_faces: int | None = 100
    seed: int = 0
    batch_size: int = 64

    def __post_init__(self) -> None:
        if not 0 < self.intensity <= 1:
            raise UserError(f"editing.intensity={self.intensity}: give a number in (0, 1]")
        for key in ("count", "curve_faces", "batch_size"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise UserError(f"editing.{key}={value}: give at least 1")
        if self.seed < 0:
            raise UserError(f"editing.seed={self.seed}: give 0 or more")


@dataclass(kw_only=True)
class EvaluateConfig:
    """``fer evaluate``: measure a trained model on real faces.

    Attributes:
        run: Run folder of the model.
        data: Real faces; None takes the archive and the split of the run, and its source domain's
            where it has two.
        detector: Crops them, for a data block without a detector of its own.
        split: Part of the real faces: ``train``, ``val``, ``test``, or ``all`` for every labelled
            image, whatever its part.
        feature: Feature network for generated images; pixels are measured in any case.
        evaluation: Counts, seed and batch size for models that generate.
        recognition: Mirroring and bootstrap for classifiers.
        translation: Classifiers that judge what a model translates.
        editing: Classifiers that judge what a model edits, and how it is asked to.
        logger: W&B's window on it; None is as the run was trained, group and all.
        objective: Metric that a search goes by, or a list of them.
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
    translation: TranslationConfig = field(default_factory=TranslationConfig)
    editing: EditingConfig = field(default_factory=EditingConfig)
    logger: LoggerConfig | None = None
    objective: Any = None
    accelerator: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        if self.split not in (*SPLITS, "all"):
            raise UserError(f"split={self.split}: choose from {', '.join(SPLITS)}, all")
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"accelerator={self.accelerator}: choose auto, cpu or gpu")
        check_objective(self.objective)
