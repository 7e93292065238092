"""Generator and discriminator of GANmut, at any size that the depth allows.

Both are StarGAN's (Choi et al. 2018): the generator takes a point of the space as planes beside the
image, the discriminator has a head for the point.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_lightning.labels import NEUTRAL
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import GANmutConfig
from fer_lightning.models.ganmut.space import EmotionSpace, build_space

SLOPE = 0.01
"""Of every leaky ReLU."""


class Verdict(NamedTuple):
    """What the discriminator says of N images.

    Attributes:
        scores: (N, 1, h, w), a critic's score of each patch, no logit; larger is more real.
        logits: (N, K) of the classes.
        points: (N, dimension), where it sees the images in the space of emotions.
    """

    scores: Tensor
    logits: Tensor
    points: Tensor


def build_networks(config: GANmutConfig, faces: FaceFormat) -> tuple[Generator, Discriminator]:
    """Both networks with initial weights drawn from the global random state.

    Args:
        config: Which networks.
        faces: Size and channels of the images, and the classes, neutral among them.
    """
    classes = len(faces.classes)
    space = build_space(config, classes, list(faces.classes).index(NEUTRAL))
    generator = Generator(space, faces.channels, config.generator_width, config.generator_blocks)
    discriminator = Discriminator(
        faces.image_size,
        faces.channels,
        config.discriminator_width,
        config.depth,
        classes,
        config.dimension,
    )
    return generator, discriminator


class Generator(nn.Module):
    """Edits images by points; instance norm makes each edit independent of its batch.

    With a width of 64, six blocks, three channels, seven classes and a linear plane it has
    8,421,132 parameters: the official count less six biases that are never used.

    Padding is by zeros. The planes of a point are constant, and instance norm takes out what is
    constant: what is left of them comes from the edges.

    Args:
        space: Where emotions lie; trained with the generator.
        channels: 1 or 3.
        width: Filters of the first layer.
        blocks: Residual blocks.
    """

    def __init__(self, space: EmotionSpace, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.space = space
        inputs = channels + space.dimension
        self.layers = nn.Sequential(
            *_normalised(nn.Conv2d(inputs, width, 7, 1, 3, bias=False)),
            *_normalised(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)),
            *_normalised(nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False)),
            *(Residual(4 * width) for _ in range(blocks)),
            *_normalised(nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False)),
            *_normalised(nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)),
            nn.Conv2d(width, channels, 7, 1, 3, bias=False),
            nn.Tanh(),
        )

    def forward(self, images: Tensor, points: Tensor) -> Tensor:
        """Edits (N, C, H, W) of images in [-1, 1] by points (N, dimension)."""
        planes = points[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return cast(Tensor, self.layers(torch.cat([images, planes.to(images.dtype)], 1)))


class Residual(nn.Module):
    """What two convolutions add; no activation follows the sum.

    Args:
        filters: Of input and output.
    """

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_normalised(nn.Conv2d(filters, filters, 3, 1, 1, bias=False)),
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
            _instance_norm(filters),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """(N, filters, H, W) to the same shape."""
        return hidden + cast(Tensor, self.layers(hidden))


def _normalised(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [convolution, _instance_norm(convolution.out_channels), nn.ReLU(inplace=True)]


def _instance_norm(filters: int) -> nn.Module:
    # The same arithmetic as nn.InstanceNorm2d without running statistics, but that it leaves
    # channels-last images as they lie in memory.
    return nn.GroupNorm(filters, filters)


class Discriminator(nn.Module):
    """Critic of patches, classifier and reader of points, on convolutions without norms.

    At 128 pixels with a width of 64, depth 6, three channels, seven classes and a plane it has
    44,794,816 parameters.

    Args:
        image_size: Side of the images in pixels, a multiple of 2 ** ``depth``.
        channels: 1 or 3.
        width: Filters of the first layer, doubled by each other.
        depth: Convolutions with stride 2.
        classes: K.
        dimension: Coordinates of a point.
    """

    def __init__(
        self, image_size: int, channels: int, width: int, depth: int, classes: int, dimension: int
    ) -> None:
        super().__init__()
        self.classes = classes
        filters = [channels, *(width * 2**level for level in range(depth))]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(SLOPE, inplace=True))
            for i, o in pairwise(filters)
        )
        self.scores = nn.Conv2d(filters[-1], 1, 3, 1, 1, bias=False)
        # Classes first, then coordinates, as in the official Gaussian model.
        side = image_size // 2**depth
        self.head = nn.Conv2d(filters[-1], classes + dimension, side, bias=False)

    def forward(self, images: Tensor, slope: bool = False) -> Verdict | Tensor:
        """What it says of images (N, C, H, W) in [-1, 1].

        Args:
            images: The images.
            slope: Give :meth:`input_gradient` instead; so that both can be compiled.
        """
        if slope:
            return self.input_gradient(images)
        for block in self.blocks:
            images = block(images)
        read = self.head(images).flatten(1)
        return Verdict(self.scores(images), read[:, : self.classes], read[:, self.classes :])

    def input_gradient(self, images: Tensor) -> Tensor:
        """The gradient of the sum of all scores with respect to the images, (N, C, H, W).

        The network is linear on either side of its leaky ReLUs, whose slopes do not change with
        the weights. So the gradient is a chain of transposed convolutions, and its own gradient
        with respect to the weights takes a plain backward pass through this chain: half of the
        arithmetic of ``create_graph``, and without the slow second derivatives of convolutions.
        It is computed in the precision of the weights, whatever autocast says; on a GPU float32
        convolutions are PyTorch's, in TF32 unless it is told otherwise.
        """
        with torch.autocast(images.device.type, enabled=False):
            slopes = self._slopes(images.to(self.scores.weight.dtype))
            ones = slopes[-1].new_ones(1, 1, *slopes[-1].shape[2:])
            gradient = F.conv_transpose2d(ones, self.scores.weight, padding=1)
            for block, here in zip(reversed(self.blocks), reversed(slopes), strict=True):
                weight = cast(nn.Conv2d, cast(nn.Sequential, block)[0]).weight
                gradient = F.conv_transpose2d(gradient * here, weight, stride=2, padding=1)
            return gradient

    @torch.no_grad()
    def _slopes(self, hidden: Tensor) -> list[Tensor]:
        """Of each leaky ReLU, at images."""
        slopes = []
        for block in self.blocks:
            convolution, activation = cast(nn.Sequential, block)
            hidden = convolution(hidden)
            slopes.append(torch.ones_like(hidden).masked_fill_(hidden <= 0, SLOPE))
            hidden = activation(hidden)
        return slopes
