"""What ``fer probe`` takes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from fer_lightning.config.logger import LoggerConfig
from fer_lightning.config.objective import check_objective
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureConfig
from fer_lightning.features.layer import LayerFeatureConfig
from fer_lightning.labels import SPLITS


class Task(enum.Enum):
    """What the features are asked for."""

    emotion = "emotion"
    au = "au"


class Method(enum.Enum):
    """What is fitted to the features."""

    svm_rbf = "svm_rbf"
    svm_linear = "svm_linear"
    logistic = "logistic"
    knn = "knn"


@dataclass(kw_only=True)
class ProbeSettings:
    """How a classifier is fitted to features, and how it is scored.

    Attributes:
        classifier: ``svm_rbf``, ``svm_linear``, ``logistic`` or ``knn``; None takes paper D's, the
            RBF SVM for emotions and the linear SVM for action units.
        folds: Folds of the in-set protocols.
        evaluations: Settings that the Bayesian search tries for emotions; action units take C = 1.
        nested: Also search anew inside every fold, which scores without optimism.
        inner_folds: Folds of that inner search.
        components: Principal components of the standardised features to keep; None keeps the
            features themselves.
        balanced: Weigh classes against their frequency.
        max_rows: Fit to a stratified draw of so many rows; None takes all.
        nystroem: Approximate the RBF kernel by so many Nyström features; None computes it exactly.
        memory: Gigabytes that distances and kernels may take.
        seed: Draws folds, search and subsamples.
    """

    classifier: Method | None = None
    folds: int = 10
    evaluations: int = 30
    nested: bool = True
    inner_folds: int = 5
    components: int | None = None
    balanced: bool = False
    max_rows: int | None = None
    nystroem: int | None = None
    memory: float = 8.0
    seed: int = 0

    def __post_init__(self) -> None:
        for key in ("folds", "inner_folds"):
            if getattr(self, key) < 2:
                raise UserError(f"probe.{key}={getattr(self, key)}: give at least 2")
        for key in ("evaluations", "components", "max_rows", "nystroem"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise UserError(f"probe.{key}={value}: give at least 1")
        if not self.memory > 0:
            raise UserError(f"probe.memory={self.memory}: give gigabytes, above 0")
        if self.seed < 0:
            raise UserError(f"probe.seed={self.seed}: give 0 or more")
        if self.nystroem is not None and self.classifier not in (None, Method.svm_rbf):
            raise UserError(
                f"probe.nystroem={self.nystroem} approximates the RBF kernel; leave it out for "
                f"probe.classifier={self.classifier.name}"
            )


@dataclass(kw_only=True)
class ProbeConfig:
    """``fer probe``: how well simple classifiers read emotions or action units from features.

    Attributes:
        run: Run folder of a trained network, whose :attr:`layer` gives the features; short for
            ``feature=layer feature.run=RUN feature.layer=NAME``.
        layer: Dotted name of a layer of that network, such as ``discriminator.block4``.
        feature: Another feature space, in place of ``run=``.
        task: ``emotion``: which of several; ``au``: for each of paper D's fourteen action units,
            whether it is there.
        fit: Faces that the classifier is fitted to.
        test: Other faces that it is tested on; None tests on those of :attr:`fit`, in folds.
        detector: Crops the faces of both, for a block without a detector of its own
            (``detector@fit.detector=``). Blocks of crops (fer2013, fer_plus, raf_db) take whole
            images, whatever stands here.
        image_size: Side of the crops in pixels; None takes what the network was trained with, else
            64. A given archive keeps its own.
        channels: 1 (gray) or 3 (RGB); None takes what the network was trained with, else what the
            corpus delivers. A given archive keeps its own.
        fit_split: Part of ``fit`` to use: ``train``, ``val``, ``test``, or ``all``.
        test_split: Part of ``test`` to use, likewise.
        probe: The classifier, its folds and its search.
        logger: W&B's window on it; None is as the network was trained, group and all, and nothing
            for features that need no run.
        objective: Metric that a search goes by, or a list of them.
        accelerator: What computes the features: ``auto``, ``cpu`` or ``gpu``.
        force: Measure again what was measured before.
    """

    run: Path | None = None
    layer: str | None = None
    feature: FeatureConfig | None = None
    task: Task = Task.emotion
    fit: Corpus = MISSING
    test: Corpus | None = None
    detector: DetectorConfig = MISSING
    image_size: int | None = None
    channels: int | None = None
    fit_split: str = "all"
    test_split: str = "all"
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    logger: LoggerConfig | None = None
    objective: Any = None
    accelerator: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        for key in ("fit_split", "test_split"):
            if getattr(self, key) not in (*SPLITS, "all"):
                raise UserError(f"{key}={getattr(self, key)}: choose from {', '.join(SPLITS)}, all")
        if self.test is not None and not self.test.name:
            raise UserError("detector@test.detector= crops other faces: pass data@test=NAME, too")
        if self.test is None and self.test_split != "all":
            raise UserError(f"test_split={self.test_split} needs other faces: pass data@test=NAME")
        if self.image_size is not None and self.image_size < 8:
            raise UserError(f"image_size={self.image_size}: give at least 8 pixels")
        if self.channels not in (None, 1, 3):
            raise UserError(f"channels={self.channels}: give 1 (gray) or 3 (RGB)")
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"accelerator={self.accelerator}: choose auto, cpu or gpu")
        check_objective(self.objective)
        for block in (self.fit, self.test):
            if block is not None:
                block.keep_crops()

    @property
    def space(self) -> FeatureConfig:
        """The feature space, by whichever keys it was given.

        Raises:
            UserError: If it was given by none, or by both ways.
        """
        if self.feature is not None:
            for key in ("run", "layer"):
                if (value := getattr(self, key)) is not None:
                    own = f"give feature.{key}=" if hasattr(self.feature, key) else "leave one out"
                    raise UserError(
                        f"{key}={value} and feature={self.feature.name} each name the features: "
                        f"{own}"
                    )
            return self.feature
        if self.run is None:
            raise UserError(
                "run is required: pass run=RUN layer=NAME, or feature=pixels for the images as "
                "they are"
            )
        if self.layer is None:
            raise UserError(
                "layer is required: pass layer=NAME, such as layer=discriminator.block4; any other "
                "word lists the layers of the run's network"
            )
        return LayerFeatureConfig(run=self.run, layer=self.layer)
