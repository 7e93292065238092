"""Weights of the official code, renamed to ours; no file can run code.

The official networks take and give the channels in the order blue, green, red. Their first and last
convolutions are turned here, so that ours are red, green, blue throughout. Running statistics of
instance norm are left out: the official code never uses them, since it stays in training mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import GANmutConfig
from fer_lightning.published import read_state_dict

SPACES = {
    "axes.weight": "space.axes",
    "mu.weight": "space.raw_means",
    "covariance_angles.weight": "space.angles",
    "covariance_axes.weight": "space.variances",
}
"""Parameters of the space by official name."""
UNUSED = ("axes.bias",)
"""Official parameters that nothing reads."""
SIZES = ("dimension", "generator_width", "generator_blocks", "discriminator_width", "depth")
"""Keys of the model that decide the shapes of its networks."""
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Ends of the names of running statistics."""


def load_official(
    generator: nn.Module, discriminator: nn.Module, config: GANmutConfig, faces: FaceFormat
) -> None:
    """Give both networks the weights that the configuration names, if it names any.

    Args:
        generator: Changed in place where ``official_weights`` is given.
        discriminator: Changed in place where ``official_discriminator`` is given.
        config: Names the files.
        faces: Classes and channels of the data.

    Raises:
        UserError: If a file is missing, damaged or of another network, or the classes differ.
    """
    beside = config.official_discriminator
    for key, path, network, renamed in (
        ("official_weights", config.official_weights, generator, generator_weights),
        ("official_discriminator", beside, discriminator, discriminator_weights),
    ):
        if path is None:
            continue
        given = f"model.{key}={path}"
        try:
            official = read_state_dict(path.expanduser())
        except ValueError as error:
            raise UserError(f"{given}: it cannot be read ({error}); fetch it again") from error
        _check(given, official, config, faces)
        try:
            network.load_state_dict(renamed(official))
        except (KeyError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{given}: these weights are of no network that model=ganmut has; give a generator "
                "as model.official_weights and a discriminator as model.official_discriminator"
            ) from error


def generator_weights(official: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names and channel order for an official generator's weights."""
    weights: dict[str, Tensor] = {}
    for name, value in official.items():
        if name in SPACES:
            flat = name == "covariance_angles.weight"
            weights[SPACES[name]] = value.flatten() if flat else value
        elif name not in UNUSED and not name.endswith(STATISTICS):
            weights[name.replace("main.", "layers.")] = value
    last = max((n for n in weights if n.startswith("layers.")), key=_place)
    weights["layers.0.weight"] = _rgb_inputs(weights["layers.0.weight"])
    weights[last] = weights[last].flip(0)
    return weights


def discriminator_weights(official: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names and channel order for an official discriminator's weights."""
    heads = [official[name] for name in ("conv2.weight", "conv3.weight") if name in official]
    weights = {"scores.weight": official["conv1.weight"], "head.weight": torch.cat(heads)}
    for name, value in official.items():
        if name.startswith("main."):
            kind = name.rpartition(".")[2]
            weights[f"blocks.{_place(name) // 2}.0.{kind}"] = value
    weights["blocks.0.0.weight"] = _rgb_inputs(weights["blocks.0.0.weight"])
    return weights


def described(official: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the shapes of official weights say of their network, as the keys that make it."""
    first = official.get("main.0.weight")
    if first is None or first.dim() != 4:
        return {}
    names = [name for name in official if name.endswith("weight")]
    if "conv2.weight" not in official:
        return {
            "channels": 3,
            "model.space": "linear" if "axes.weight" in official else "gaussian",
            "model.dimension": first.shape[1] - 3,
            "model.generator_width": len(first),
            "model.generator_blocks": sum(name.endswith(".main.0.weight") for name in names),
        }
    depth = sum(name.startswith("main.") for name in names)
    return {
        "channels": 3,
        "image_size": official["conv2.weight"].shape[-1] * 2**depth,
        "model.discriminator_width": len(first),
        "model.depth": depth,
    }


def _check(
    given: str, official: Mapping[str, Tensor], config: GANmutConfig, faces: FaceFormat
) -> None:
    """Refuse weights of another network, or of other classes than the data's."""
    axes, means = official.get("axes.weight"), official.get("mu.weight")
    if means is not None and means.shape[1] == 3:
        raise UserError(
            f"{given}: the official Gaussian space of three dimensions has other covariances than "
            "ours, which need not be positive definite; give a generator of its plane or of a "
            "linear space"
        )
    ours = {
        "channels": faces.channels,
        "image_size": faces.image_size,
        "model.space": config.space.name,
        **{f"model.{name}": getattr(config, name) for name in SIZES},
    }
    wrong = {key: value for key, value in described(official).items() if ours[key] != value}
    if wrong:
        keys = " ".join(f"{key}={value}" for key, value in wrong.items())
        raise UserError(f"{given}: these weights are of another network; pass {keys}")
    known = len(faces.classes) if axes is None else len(axes) + 1
    known = known if means is None else len(means)
    if list(faces.classes) != list(EMOTIONS[:known]):
        classes = ",".join(EMOTIONS[:known])
        raise UserError(
            f"{given}: the official classes are {classes}, and the data show "
            f"{','.join(faces.classes)}; give data with all of them and data.only=[{classes}]"
        )


def _place(name: str) -> int:
    """Number of a layer in its sequence."""
    return int(name.split(".")[1])


def _rgb_inputs(weight: Tensor) -> Tensor:
    """A first convolution's image channels turned around; those of the point stay last."""
    return torch.cat([weight[:, :3].flip(1), weight[:, 3:]], 1)
