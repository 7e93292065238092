"""Generator and discriminator of paper A, for any multiple of 16 pixels."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from fer_lightning.nn.dcgan import upsample


class Generator(nn.Module):
    """Latent vector and one-hot label to an image, by three upsamplings from 1/8 of its side.

    Args:
        latent_dim: Length of z.
        classes: Number of labels.
        image_size: Side of the image in pixels, a multiple of 16.
        channels: 1 or 3.
        width: Filters of the finest layer.
    """

    def __init__(
        self, latent_dim: int, classes: int, image_size: int, channels: int, width: int
    ) -> None:
        super().__init__()
        self.classes = classes
        self.base = (8 * width, image_size // 8, image_size // 8)
        filters, side, _ = self.base
        self.dense = nn.Linear(latent_dim + classes, filters * side * side)
        self.blocks = nn.Sequential(
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            *upsample(8 * width, 4 * width),
            *upsample(4 * width, 2 * width),
            *upsample(2 * width, width),
            nn.ConvTranspose2d(width, channels, 3, 1, 1),
            nn.Tanh(),
        )

    def forward(self, latent: Tensor, emotions: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] from z (N, latent_dim) and class indices (N,)."""
        one_hot = F.one_hot(emotions, self.classes).to(latent.dtype)
        hidden = self.dense(torch.cat([latent, one_hot], 1)).view(-1, *self.base)
        return cast(Tensor, self.blocks(hidden))


class Discriminator(nn.Module):
    """Image and label to a logit; the label enters as one constant plane a class.

    Args:
        classes: Number of labels.
        image_size: Side of the image in pixels, a multiple of 16.
        channels: 1 or 3.
        width: Filters of the finest layer.
        dropout: Before the dense layer.
    """

    def __init__(
        self,
        classes: int,
        image_size: int,
        channels: int,
        width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.classes = classes
        filters = (channels + classes, width, 2 * width, 4 * width, 8 * width)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(filters):
            convolution = nn.Conv2d(inputs, outputs, 4, 2, 1)
            layers += [convolution, nn.LeakyReLU(0.2, inplace=True)]
        self.blocks = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(8 * width * (image_size // 16) ** 2, 1)

    def normalise(self, convolutions: bool, dense: bool) -> None:
        """Add spectral normalisation, once the initial weights are there to be measured."""
        layers = [*self.blocks[::2]] * convolutions + [self.dense] * dense
        for layer in layers:
            spectral_norm(layer)

    def forward(self, images: Tensor, emotions: Tensor) -> Tensor:
        """Logits (N,) that images (N, C, H, W) are real faces of class indices (N,).

        An index of -1 says nothing of the class: all planes of that image are zero.
        """
        planes = F.one_hot(emotions + 1, self.classes + 1)[:, 1:].to(images.dtype)
        planes = planes[:, :, None, None].expand(-1, -1, *images.shape[2:])
        hidden = self.blocks(torch.cat([images, planes], 1)).flatten(1)
        return cast(Tensor, self.dense(self.dropout(hidden)).squeeze(1))
