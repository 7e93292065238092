"""Encoders, decoder and discriminator of paper C, for multiples of 16 pixels.

A convolution before batch normalisation has no bias, which that would take out again. The
decoder's linear layer keeps its own: it differs from place to place, and batch normalisation takes
out one value a filter.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from fer_lightning.models.config import FaceFormat
from fer_lightning.models.egc_gan.config import CodeActivation, EGCGANConfig, Encoder, LabelPlane
from fer_lightning.nn.dcgan import initialise

SLOPE = 0.2
"""Of every leaky ReLU."""


def build_networks(config: EGCGANConfig, faces: FaceFormat) -> tuple[Translator, Discriminator]:
    """Both networks with initial weights drawn from the global random state.

    Args:
        config: Which networks.
        faces: Size and channels of the images, and the classes.
    """
    classes, size, channels = len(faces.classes), faces.image_size, faces.channels
    given = classes if config.generator_label else 0
    translator = Translator(
        make_encoder(config, size, channels),
        Decoder(config.code_dim + given, size, channels, config.width),
        given,
    )
    plane = make_plane(config, classes, size)
    discriminator = Discriminator(plane, size, channels, config.width, config.spectral_norm)
    for network in (translator, discriminator):
        initialise(network, config.init_std)
    if config.spectral_norm:
        discriminator.normalise()
    return translator, discriminator


def make_encoder(config: EGCGANConfig, image_size: int, channels: int) -> nn.Sequential:
    """Images (N, C, H, W) to codes (N, code_dim): the chosen body, flattened, and a linear layer.

    Args:
        config: Which encoder.
        image_size: Side of the images in pixels, from
            :data:`~fer_lightning.models.egc_gan.config.LEAST_SIZE` on.
        channels: 1 or 3.
    """
    if config.encoder is Encoder.alexnet:
        body, filters, side = _alexnet(image_size, channels, config.width)
    else:
        body, filters, side = _lite(image_size, channels, config.width)
    activation = {
        CodeActivation.none: nn.Identity(),
        CodeActivation.leaky_relu: nn.LeakyReLU(SLOPE),
        CodeActivation.relu: nn.ReLU(),
    }[config.code_activation]
    dense = nn.Linear(filters * side * side, config.code_dim)
    return nn.Sequential(body, nn.Flatten(), dense, activation)


def _alexnet(size: int, channels: int, width: int) -> tuple[nn.Sequential, int, int]:
    """C.3's five convolutions and three poolings; also filters and side of the last maps.

    Filters are 96, 256, 384, 384 and 256 at a width of 64, and in proportion at others.
    """
    first, middle, most = max(1, 3 * width // 2), 4 * width, 6 * width
    layers = nn.Sequential(
        *_normalised(nn.Conv2d(channels, first, 11, 4, 2, bias=False)),
        nn.MaxPool2d(3, 2),
        *_normalised(nn.Conv2d(first, middle, 5, 1, 2, bias=False)),
        nn.MaxPool2d(3, 2),
        *_normalised(nn.Conv2d(middle, most, 3, 1, 1, bias=False)),
        *_normalised(nn.Conv2d(most, most, 3, 1, 1, bias=False)),
        *_normalised(nn.Conv2d(most, middle, 3, 1, 1, bias=False)),
        nn.MaxPool2d(3, 2),
    )
    side = (size - 7) // 4 + 1
    for _ in range(3):
        side = (side - 3) // 2 + 1
    return layers, middle, side


def _lite(size: int, channels: int, width: int) -> tuple[nn.Sequential, int, int]:
    """C.3's E-lite: four 5x5 convolutions, each of which halves the side."""
    filters = (channels, width, 2 * width, 4 * width, 4 * width)
    layers = [
        layer
        for inputs, outputs in pairwise(filters)
        for layer in _normalised(nn.Conv2d(inputs, outputs, 5, 2, 2, bias=False))
    ]
    return nn.Sequential(*layers), filters[-1], size // 16


def _normalised(convolution: nn.Conv2d | nn.ConvTranspose2d) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)


class Decoder(nn.Module):
    """C.4: a code to an image, by four upsamplings from 1/16 of its side.

    Args:
        inputs: Length of the code, with the label's part where there is one.
        image_size: Side of the image in pixels, a multiple of 16.
        channels: 1 or 3.
        width: Filters of the finest layer.
    """

    def __init__(self, inputs: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        self.base = (8 * width, image_size // 16, image_size // 16)
        filters, side, _ = self.base
        self.dense = nn.Linear(inputs, filters * side * side)
        steps = (filters, 4 * width, 2 * width, width)
        self.blocks = nn.Sequential(
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            *(
                layer
                for coarse, fine in pairwise(steps)
                for layer in _normalised(nn.ConvTranspose2d(coarse, fine, 4, 2, 1, bias=False))
            ),
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, code: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] from codes (N, inputs)."""
        return cast(Tensor, self.blocks(self.dense(code).view(-1, *self.base)))


class Translator(nn.Module):
    """Encoder and decoder: a face of the source domain to one of the target domain.

    Args:
        encoder: Images to codes.
        decoder: Codes, with a one-hot label where there is one, to images.
        classes: Number of labels that the decoder is told; 0 tells it none, as in the paper.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.classes = classes

    def forward(self, images: Tensor, emotions: Tensor | None = None) -> Tensor:
        """Translations of images, both (N, C, H, W) in [-1, 1].

        Args:
            images: Faces of the source domain.
            emotions: Class indices, int64 of shape (N,); without meaning where the decoder is told
                no label.

        Raises:
            ValueError: If the decoder is told a label and there is none.
        """
        code = self.encoder(images)
        if self.classes:
            if emotions is None:
                raise ValueError("this decoder is told a label: give emotions")
            code = torch.cat([code, F.one_hot(emotions, self.classes).to(code.dtype)], 1)
        return cast(Tensor, self.decoder(code))


def make_plane(config: EGCGANConfig, classes: int, image_size: int) -> nn.Module:
    """Class indices (N,) to planes (N, 1, H, W), as ``config.label_plane`` says."""
    if config.label_plane is LabelPlane.constant:
        return ConstantPlane(classes, image_size)
    return EmbeddedPlane(classes, config.embedding_dim, image_size)


class EmbeddedPlane(nn.Module):
    """C.5's learnt plane: an embedding of the label, and a linear layer to a value a pixel."""

    def __init__(self, classes: int, embedding_dim: int, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.embedding = nn.Embedding(classes, embedding_dim)
        self.dense = nn.Linear(embedding_dim, image_size**2)

    def forward(self, emotions: Tensor) -> Tensor:
        """Planes (N, 1, H, W)."""
        plane: Tensor = self.dense(self.embedding(emotions))
        return plane.view(-1, 1, self.image_size, self.image_size)


class ConstantPlane(nn.Module):
    """C.5's alternative: every pixel is y / (K - 1)."""

    def __init__(self, classes: int, image_size: int) -> None:
        super().__init__()
        self.classes = classes
        self.image_size = image_size

    def forward(self, emotions: Tensor) -> Tensor:
        """Planes (N, 1, H, W) in [0, 1]."""
        values = emotions.to(torch.get_default_dtype()) / (self.classes - 1)
        return values[:, None, None, None].expand(-1, 1, self.image_size, self.image_size)


class Discriminator(nn.Module):
    """C.5: an image and the plane of its label, as one more channel, to a logit.

    Args:
        plane: Class indices to planes.
        image_size: Side of the image in pixels, a multiple of 16.
        channels: 1 or 3.
        width: Filters of the finest layer.
        spectral: Leave out batch norm, which spectral normalisation is to replace: it would
            multiply each filter by a scale of its own, and no bound on the weights would hold.
    """

    def __init__(
        self, plane: nn.Module, image_size: int, channels: int, width: int, spectral: bool
    ) -> None:
        super().__init__()
        self.plane = plane
        filters = (channels + 1, width, 2 * width, 4 * width, 8 * width)
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(filters)):
            batch_norm = number > 0 and not spectral
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not batch_norm))
            layers += [nn.BatchNorm2d(outputs)] * batch_norm
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Conv2d(filters[-1], 1, image_size // 16)

    def normalise(self) -> None:
        """Add spectral normalisation, once the initial weights are there to be measured."""
        for layer in (*self.blocks, self.head):
            if isinstance(layer, nn.Conv2d):
                spectral_norm(layer)

    def forward(self, images: Tensor, emotions: Tensor) -> Tensor:
        """Logits (N,) that images (N, C, H, W) are target faces of class indices (N,)."""
        plane = self.plane(emotions).to(images.dtype)
        hidden = self.blocks(torch.cat([images, plane], 1))
        return cast(Tensor, self.head(hidden).flatten())
