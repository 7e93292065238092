"""A trained expression classifier as a feature space: FED and IS-FER."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING

from fer_lightning.data.fingerprint import file_digest
from fer_lightning.features.base import FeatureConfig

if TYPE_CHECKING:
    from fer_lightning.features.network import FeatureNetwork

VERSION = 1
"""Raised whenever the same image comes to give other features, for kept ones are named by it."""


@dataclass(kw_only=True)
class ClassifierFeatureConfig(FeatureConfig):
    """What the last layer of a classifier of ours receives, and what it answers.

    Attributes:
        run: Run folder of ``fer train model=classifier``, or ``experiment:NAME``, which is trained
            first where that run is missing.
    """

    name: str = "classifier"
    run: Path = MISSING

    def build(self) -> FeatureNetwork:
        """Load the network."""
        from fer_lightning.features.network import ExpressionClassifier

        return ExpressionClassifier(self)

    def protocol(self) -> dict[str, Any]:
        """Name, version, the hash of the checkpoint, and how faces of another size are shown."""
        return self.protocol_of(file_digest(self.checkpoint()))

    def checkpoint(self, key: str = "feature.run") -> Path:
        """The newest weights of :attr:`run`, which becomes the folder where it is an experiment.

        Args:
            key: That the run was given by, for errors.
        """
        from fer_lightning.checkpoints import checkpoint_of
        from fer_lightning.experiments import prepared_run

        self.run = prepared_run(self.run, key, "classifier")
        return checkpoint_of(self.run, key)

    def protocol_of(self, checkpoint: str) -> dict[str, Any]:
        """The same, given the hash of the checkpoint that was read."""
        return {
            "feature": self.name,
            "version": VERSION,
            "checkpoint": checkpoint,
            "resize": "bilinear, antialias",
        }
