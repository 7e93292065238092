"""The classifier's networks, for any square image from ``LEAST_SIZE`` on.

How a network follows the size of the image:

- The ResNets end in a mean over the last maps. For at most :data:`SMALL` pixels their first layer
  is 3x3 with stride 1 and no pooling follows it, as He et al. (2016, section 4.2) do for images of
  32 pixels: the stem made for 224 pixels would leave 2x2 places of a face of 48.
- AlexNet's first layer has a stride of 1, 2 or 4 (:func:`_alexnet`).
- All others halve the side by max pooling and then flatten what is left. It is first averaged down
  to 7x7 places (AlexNet: 6x6) if there are more, which keeps the first linear layer in bounds.

Networks with ImageNet weights keep their published form at every size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet18, resnet50
from torchvision.models.vgg import cfgs, make_layers

from fer_lightning.models.classifier.attention import CBAM, SqueezeExcitation, attend
from fer_lightning.models.classifier.config import BLOCKS, ClassifierConfig, Network
from fer_lightning.models.config import FaceFormat

SMALL = 64
"""Largest side in pixels that the stems for small images are for."""
PLACES = 7
"""Largest side of the maps that a linear layer is given, VGG's."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class FaceNetwork(nn.Module):
    """Layers that describe a face, and a linear layer that names its expression.

    Args:
        body: Images to vectors.
        num_features: Length of these vectors.
        classes: Number K of expressions.
        dropout: Before the last linear layer.
        imagenet: Give the body what ImageNet's weights were trained on, three channels with that
            set's mean and deviation.
        hidden: Units of a linear layer with a ReLU before the last one; 0 leaves it out.
        trained_blocks: Of the body's blocks, train so many, the last ones; None trains all.

    Attributes:
        num_features: Length d of what the last linear layer receives.
    """

    def __init__(
        self,
        body: nn.Module,
        num_features: int,
        classes: int,
        dropout: float,
        imagenet: bool,
        hidden: int = 0,
        trained_blocks: int | None = None,
    ) -> None:
        super().__init__()
        self.num_features = hidden or num_features
        self.trained_blocks = trained_blocks
        self.normalise = ImageNetInput() if imagenet else nn.Identity()
        self.body = body
        self.hidden = (
            nn.Sequential(nn.Linear(num_features, hidden), nn.ReLU()) if hidden else nn.Identity()
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.num_features, classes)
        for module in self.kept():
            module.requires_grad_(False)
        self.train()

    def kept(self) -> list[nn.Module]:
        """Parts of the body that stay as they are."""
        if self.trained_blocks is None:
            return []
        blocks = _blocks(self.body)
        return [part for block in blocks[: len(blocks) - self.trained_blocks] for part in block]

    def train(self, mode: bool = True) -> FaceNetwork:
        """Training mode of all but what stays as it is, whose statistics would move."""
        super().train(mode)
        for module in self.kept():
            module.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """Vectors (N, d) of images (N, C, H, W) in [-1, 1], before dropout."""
        return cast(Tensor, self.hidden(self.body(self.normalise(images))))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, K) of vectors (N, d)."""
        return cast(Tensor, self.head(self.dropout(features)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W) in [-1, 1]."""
        return self.classify(self.features(images))


class ImageNetInput(nn.Module):
    """Gray or colour images in [-1, 1] as colour images with ImageNet's mean and deviation."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W) from images (N, 1 or 3, H, W)."""
        return ((images + 1) / 2 - self.mean) / self.std  # broadcasting repeats a gray channel


def build_network(config: ClassifierConfig, faces: FaceFormat) -> FaceNetwork:
    """A network with initial weights drawn from the global random state.

    With ``config.pretrained`` it has the form that
    :func:`fer_lightning.models.classifier.pretrained.load_imagenet` fills; it opens no file.

    Args:
        config: Which network.
        faces: Size and channels of the images, and the classes.
    """
    channels = 3 if config.pretrained else faces.channels
    body, num_features = _body(config, faces.image_size, channels)
    classes = len(faces.classes)
    network = FaceNetwork(
        body,
        num_features,
        classes,
        config.dropout,
        config.pretrained,
        config.hidden,
        config.trained_blocks,
    )
    _initialise(network)
    return network


def _blocks(body: nn.Module) -> list[list[nn.Module]]:
    """A pretrained body's convolutions, block by block: a VGG's end in pooling."""
    if isinstance(body, ResNet):
        return [[body.conv1, body.bn1], *([getattr(body, f"layer{n}")] for n in range(1, BLOCKS))]
    blocks: list[list[nn.Module]] = [[]]
    for layer in cast(nn.Sequential, body.get_submodule("features")):
        blocks[-1].append(layer)
        if isinstance(layer, nn.MaxPool2d):
            blocks.append([])
    return blocks[:BLOCKS]


def _initialise(network: nn.Module) -> None:
    """He et al. (2015) for convolutions, no biases; the rest begins as PyTorch has it.

    That is a scale of 1 for batch normalisation, and U(-a, a) with a = 1/sqrt(inputs) for linear
    layers.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def _body(config: ClassifierConfig, image_size: int, channels: int) -> tuple[nn.Module, int]:
    """All but the last linear layer, and what that receives."""
    match config.network:
        case Network.paper_b:
            return _paper_b(config.width, config.dropout, image_size, channels)
        case Network.vgg_fer:
            return _vgg_fer(config.width, config.dropout, image_size, channels)
        case Network.vgg11_bn | Network.vgg16:
            return _vgg(config, image_size, channels)
        case Network.alexnet:
            return _alexnet(config.dropout, image_size, channels)
        case _:
            return _resnet(config.network, config.pretrained, image_size, channels)


def _paper_b(width: int, dropout: float, image_size: int, channels: int) -> tuple[nn.Module, int]:
    """Paper B's CNN."""
    stages = [[width] * 2, [2 * width] * 2, [4 * width] * 2, [8 * width]]
    side = image_size // 16
    places = min(side, PLACES)
    hidden = 256
    dense = nn.Sequential(
        nn.Linear(8 * width * places**2, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
    )
    return _flat(_convolutions(channels, stages, dropout / 2), side, places, dense), hidden


def _vgg_fer(width: int, dropout: float, image_size: int, channels: int) -> tuple[nn.Module, int]:
    """The tuned VGG of Khaireddin and Chen (arXiv 2105.03588)."""
    stages = [[width] * 2, [2 * width] * 2, [4 * width] * 2, [8 * width] * 2]
    side = image_size // 16
    places = min(side, PLACES)
    hidden = 64 * width
    dense = _dense(8 * width * places**2, hidden, dropout)
    return _flat(_convolutions(channels, stages), side, places, dense), hidden


def _vgg(config: ClassifierConfig, image_size: int, channels: int) -> tuple[nn.Module, int]:
    """VGG (arXiv 1409.1556), A with batch normalisation or D; torchvision's layers and names."""
    deep = config.network is Network.vgg16
    convolutions = make_layers(cfgs["D" if deep else "A"], batch_norm=not deep)
    if channels != 3:
        convolutions[0] = nn.Conv2d(channels, 64, 3, padding=1)
    side = image_size // 32
    if config.hidden:
        return _flat(convolutions, side, 1, nn.Identity()), 512
    # Published weights expect 7x7 places, copies of fewer if need be; new ones can spare these.
    places = PLACES if config.pretrained else min(side, PLACES)
    return _flat(convolutions, side, places, _dense(512 * places**2, 4096, config.dropout)), 4096


def _alexnet(dropout: float, image_size: int, channels: int) -> tuple[nn.Module, int]:
    """AlexNet (arXiv 1404.5997) with torchvision's filters, batch normalisation, a stem by size.

    The published stem divides the side by eight before the second layer. Up to 64 pixels the first
    layer is 5x5 with stride 1, up to 128 it is 7x7 with stride 2; the last maps are 5x5 for faces
    of 48 and of 96 pixels, not far from the 6x6 that the published network has for 224.
    """
    if image_size <= SMALL:
        kernel, stride, padding = 5, 1, 2
    elif image_size <= 2 * SMALL:
        kernel, stride, padding = 7, 2, 3
    else:
        kernel, stride, padding = 11, 4, 2
    convolutions = nn.Sequential(
        *_normalised(nn.Conv2d(channels, 64, kernel, stride, padding, bias=False)),
        nn.MaxPool2d(3, 2),
        *_normalised(nn.Conv2d(64, 192, 5, padding=2, bias=False)),
        nn.MaxPool2d(3, 2),
        *_normalised(nn.Conv2d(192, 384, 3, padding=1, bias=False)),
        *_normalised(nn.Conv2d(384, 256, 3, padding=1, bias=False)),
        *_normalised(nn.Conv2d(256, 256, 3, padding=1, bias=False)),
        nn.MaxPool2d(3, 2),
    )
    side = (image_size + 2 * padding - kernel) // stride + 1
    for _ in range(3):
        side = (side - 3) // 2 + 1
    places = min(side, 6)
    return _flat(convolutions, side, places, _dense(256 * places**2, 4096, dropout)), 4096


def _resnet(
    name: Network, pretrained: bool, image_size: int, channels: int
) -> tuple[nn.Module, int]:
    """ResNet (arXiv 1512.03385), torchvision's; attention (attention.py) by name."""
    network = resnet50() if name is Network.resnet50 else resnet18()
    num_features = network.fc.in_features
    network.fc = nn.Identity()
    if image_size <= SMALL and not pretrained:
        network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
    elif channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    if name is Network.resnet18_se:
        attend(network, SqueezeExcitation)
    elif name is Network.resnet18_cbam:
        attend(network, CBAM)
    return network, num_features


def _convolutions(
    channels: int, stages: Sequence[Sequence[int]], dropout: float = 0.0
) -> nn.Sequential:
    """Stages of 3x3 convolutions with as many filters; each ends in pooling and dropout."""
    layers: list[nn.Module] = []
    for stage in stages:
        for filters in stage:
            layers += _normalised(nn.Conv2d(channels, filters, 3, padding=1, bias=False))
            channels = filters
        layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


def _normalised(convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)


def _dense(inputs: int, hidden: int, dropout: float) -> nn.Sequential:
    """The two hidden linear layers of VGG and AlexNet."""
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
    )


def _flat(convolutions: nn.Module, side: int, places: int, dense: nn.Module) -> nn.Sequential:
    """Convolutions, their maps averaged from side x side to places x places, linear layers.

    The names are those of torchvision's VGG, so that its weights fit.
    """
    # Averaging to the same size would change nothing, yet is not deterministic on a GPU.
    average = nn.Identity() if side == places else nn.AdaptiveAvgPool2d(places)
    return nn.Sequential(
        OrderedDict(features=convolutions, avgpool=average, flatten=nn.Flatten(), classifier=dense)
    )
