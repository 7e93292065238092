"""Inception-v3 with the weights of FID: the one feature space whose numbers are called FID."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lightning.data.fingerprint import file_digest
from fer_lightning.features.base import FeatureConfig

if TYPE_CHECKING:
    from fer_lightning.features.network import FeatureNetwork

VERSION = 1
"""Raised whenever the same image comes to give other features, for kept ones are named by it."""


@dataclass(kw_only=True)
class InceptionConfig(FeatureConfig):
    """2048 pool features, and logits for the Inception Score, of torch-fidelity's network.

    Attributes:
        weights: File of its weights; None looks in torch's cache and else downloads them.
        antialias: Resize with antialiasing, as torchmetrics does; torch-fidelity and the papers'
            TensorFlow resize without.
    """

    name: str = "inception"
    weights: Path | None = None
    antialias: bool = False

    def build(self) -> FeatureNetwork:
        """Load the network."""
        from fer_lightning.features.network import Inception

        return Inception(self)

    def protocol(self) -> dict[str, Any]:
        """Name, version, resize and the hash of the weights."""
        from fer_lightning.features.weights import inception_weights

        return {
            "feature": self.name,
            "version": VERSION,
            "weights": file_digest(inception_weights(self.weights)),
            "resize": f"299, bilinear, {'antialias' if self.antialias else 'as TensorFlow 1'}",
        }
