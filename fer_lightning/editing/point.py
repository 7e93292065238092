"""The point of an emotion space that a user asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fer_lightning.config.edit import EditConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import NEUTRAL
from fer_lightning.models.editing import EditingModule


@dataclass(frozen=True)
class Point:
    """A point, and how it was asked for.

    Attributes:
        coordinates: float32 of shape (1, dimension), on the device of the model.
        asked: The keys that say it, with their values.
    """

    coordinates: Tensor
    asked: dict[str, Any]

    @property
    def name(self) -> str:
        """For files: ``happiness0.8``, ``theta1.5-rho0.5``, ``happiness0.6-surprise0.4``."""
        if "emotion" in self.asked:
            return f"{self.asked['emotion']}{self.asked['intensity']:g}"
        shares = self.asked.get("blend", self.asked)
        return "-".join(f"{name}{value:g}" for name, value in shares.items())


def point_of(config: EditConfig, module: EditingModule) -> Point | None:
    """The point of a configuration in the space of a model; None where it says none.

    A blend is the sum of the emotions' points, each weighed by its share, and of neutral's by what
    is left over, so that one emotion with a share is that emotion of this intensity.

    Raises:
        UserError: If an emotion is not the model's, or its space has no angles.
    """
    if config.emotion is not None:
        intensity = 1.0 if config.intensity is None else config.intensity
        asked = {"emotion": config.emotion, "intensity": intensity}
        number = _number("emotion=", config.emotion, config, module)
        emotions = torch.tensor([number], device=module.device)
        return Point(module.points(emotions, intensity), asked)
    if config.theta is not None and config.rho is not None:
        theta, rho = (torch.tensor([x], device=module.device) for x in (config.theta, config.rho))
        return Point(module.polar(theta, rho), {"theta": config.theta, "rho": config.rho})
    if config.blend:
        shares = torch.zeros(len(module.classes), device=module.device)
        for name, share in config.blend.items():
            shares[_number("blend.", name, config, module)] = share or 0.0
        shares[module.classes.index(NEUTRAL)] += 1 - shares.sum()
        every = torch.arange(len(module.classes), device=module.device)
        return Point(shares[None] @ module.points(every, 1.0), {"blend": dict(config.blend)})
    return None


def _number(key: str, name: str, config: EditConfig, module: EditingModule) -> int:
    if name not in module.classes:
        raise UserError(
            f"{key}{name}: the model of run={config.run} knows {', '.join(module.classes)}"
        )
    return module.classes.index(name)
