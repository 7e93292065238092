"""What every feature network's configuration has; imports no torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING

from fer_lightning.errors import UserError

if TYPE_CHECKING:
    from fer_lightning.features.network import FeatureNetwork


class FeatureUnavailable(UserError):
    """The weights of a network are neither here nor to be had; other networks can go on."""


@dataclass(kw_only=True)
class FeatureConfig:
    """A feature space by name.

    Attributes:
        name: Name in the registry of features; every number measured in it is named after it.
    """

    name: str = MISSING

    @abstractmethod
    def build(self) -> FeatureNetwork:
        """Load the network; torch is imported here, not before.

        Raises:
            FeatureUnavailable: If its weights are nowhere to be had.
            UserError: If they are not what they should be.
        """

    @abstractmethod
    def protocol(self) -> dict[str, Any]:
        """What of it decides a number: name, version, weights' hash, resize; plain data.

        Raises:
            FeatureUnavailable: If it has weights and they are nowhere to be had.
        """
