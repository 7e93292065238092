"""Any layer of any run's network as a feature space, such as paper D's ``discriminator.block4``."""

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
class LayerFeatureConfig(FeatureConfig):
    """What a layer of a trained network gives, flattened.

    Attributes:
        run: Run folder of ``fer train``, with any model that looks at faces, or
            ``experiment:NAME``, which is trained first where that run is missing.
        layer: Dotted name of the layer in the model, such as ``discriminator.block4``; a wrong
            name is answered by a list of all.
    """

    name: str = "layer"
    run: Path = MISSING
    layer: str = MISSING

    def build(self) -> FeatureNetwork:
        """Load the network and look for the layer."""
        from fer_lightning.features.layer_network import Layer

        return Layer(self)

    def protocol(self) -> dict[str, Any]:
        """Name, version, layer, the checkpoint's hash, and how faces of another size are shown."""
        return self.protocol_of(file_digest(self.checkpoint()))

    def checkpoint(self) -> Path:
        """The newest weights of :attr:`run`, which becomes the folder where it is an experiment."""
        from fer_lightning.checkpoints import checkpoint_of
        from fer_lightning.experiments import prepared_run

        self.run = prepared_run(self.run, "feature.run")
        return checkpoint_of(self.run, "feature.run")

    def protocol_of(self, checkpoint: str) -> dict[str, Any]:
        """The same, given the hash of the checkpoint that was read."""
        return {
            "feature": self.name,
            "version": VERSION,
            "checkpoint": checkpoint,
            "layer": self.layer,
            "resize": "bilinear, antialias",
        }
