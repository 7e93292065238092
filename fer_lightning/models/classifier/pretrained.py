"""Finds, opens and fills in torchvision's ImageNet weights; no file can run code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torchvision.models import (
    ResNet18_Weights,
    ResNet50_Weights,
    VGG11_BN_Weights,
    VGG16_Weights,
)

from fer_lightning.errors import UserError
from fer_lightning.models.classifier.config import ClassifierConfig, Network
from fer_lightning.models.classifier.networks import FaceNetwork
from fer_lightning.published import Published, read_state_dict

PUBLISHED: dict[Network, Any] = {
    Network.resnet18: ResNet18_Weights.IMAGENET1K_V1,
    Network.resnet50: ResNet50_Weights.IMAGENET1K_V1,
    Network.vgg11_bn: VGG11_BN_Weights.IMAGENET1K_V1,
    Network.vgg16: VGG16_Weights.IMAGENET1K_V1,
}
"""Weights by network; the first version of each, which the papers of the field start from."""
LAST_LAYER = {
    Network.resnet18: "fc.",
    Network.resnet50: "fc.",
    Network.vgg11_bn: "classifier.6.",
    Network.vgg16: "classifier.6.",
}
"""The layer that names ImageNet's classes, of which nothing is taken."""
LINEAR_LAYERS = "classifier."
"""All of a VGG's, of which nothing is taken where ``model.hidden`` stands in their place."""


def load_imagenet(network: FaceNetwork, config: ClassifierConfig) -> None:
    """Give a network its ImageNet weights; the last layer, and a hidden one, stay as they are.

    Args:
        network: What :func:`~fer_lightning.models.classifier.networks.build_network` made of the
            same configuration, changed in place.
        config: With ``pretrained``; ``weights`` is the file, else torch's cache or a download.

    Raises:
        UserError: If the file is missing, cannot be downloaded, is damaged or of another network.
    """
    path = imagenet_file(config.network, config.weights)
    try:
        weights = read_state_dict(path)
    except ValueError as error:
        raise _unusable(path, config.network, str(error)) from error
    new = (LAST_LAYER[config.network], *([LINEAR_LAYERS] if config.hidden else []))
    kept = {name: value for name, value in weights.items() if not name.startswith(new)}
    try:
        network.body.load_state_dict(kept)
    except RuntimeError as error:
        raise _unusable(path, config.network, "they are of another network") from error


def imagenet_file(network: Network, given: Path | None) -> Path:
    """The file of a network's weights: the given one, or the published one, wherever it is found.

    Args:
        network: One of :data:`PUBLISHED`.
        given: The configuration's ``weights``.

    Raises:
        UserError: If the given file is missing, or none is given and it cannot be downloaded.
    """
    if given is not None:
        path = given.expanduser()
        if not path.is_file():
            raise UserError(
                f"model.weights={given}: there is no such file; {_advice(network)}, or leave "
                "model.weights out to download it"
            )
        return path
    file = imagenet_published(network)
    try:
        return file.find()
    except (OSError, RuntimeError) as error:  # no network, no place, or another file
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        raise UserError(
            f"model.pretrained=true: {file.name} is not in {cache} and cannot be downloaded "
            f"({error}): {_advice(network)} and pass model.weights=PATH, or pass "
            "model.pretrained=false"
        ) from error


def imagenet_published(network: Network) -> Published:
    """What torchvision publishes for a network, one of :data:`PUBLISHED`."""
    name = _name(network)
    digest = Path(name).stem.rpartition("-")[2]  # the last part of the name begins the SHA-256
    return Published(name, str(PUBLISHED[network].url), digest)


def _unusable(path: Path, network: Network, reason: str) -> UserError:
    return UserError(
        f"model.weights={path}: these weights cannot be used for model.network={network.name} "
        f"({reason}): {_advice(network)}"
    )


def _advice(network: Network) -> str:
    weights = PUBLISHED[network]
    size = round(weights.meta["_file_size"] * 1.048576)  # torchvision counts in MiB
    return f"fetch {_name(network)} ({size} MB) from {weights.url}"


def _name(network: Network) -> str:
    return str(PUBLISHED[network].url).rpartition("/")[2]
