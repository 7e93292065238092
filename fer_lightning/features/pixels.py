"""Pixels as features: needs no weights, and judges nothing but what is in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureConfig

if TYPE_CHECKING:
    from fer_lightning.features.network import FeatureNetwork

VERSION = 1
"""Raised whenever the same image comes to give other features, for kept ones are named by it."""


@dataclass(kw_only=True)
class PixelsConfig(FeatureConfig):
    """The image itself, gray, shrunk by area averaging.

    Attributes:
        side: Side of the shrunk image; a feature is ``side`` x ``side`` gray values in [0, 1].
    """

    name: str = "pixels"
    side: int = 16

    def __post_init__(self) -> None:
        if self.side < 2:
            raise UserError(f"feature.side={self.side}: give at least 2 pixels")

    def build(self) -> FeatureNetwork:
        """Make the network."""
        from fer_lightning.features.network import Pixels

        return Pixels(self)

    def protocol(self) -> dict[str, Any]:
        """Name, version, side and resize."""
        return {"feature": self.name, "version": VERSION, "side": self.side, "resize": "area"}
