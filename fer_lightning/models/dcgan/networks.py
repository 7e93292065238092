"""Generator and discriminator of paper D, for multiples of 16 pixels from 32 on.

Their bottom is a convolution over 1/16 of the image's side: 4 x 4 at 64 pixels, as published.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from fer_lightning.nn.dcgan import upsample


class Generator(nn.Module):
    """Latent vector to an image, by five transposed convolutions.

    At 64 pixels and three channels it has 3,576,704 parameters with ``width`` 64 and 12,658,432
    with 128.

    Args:
        latent_dim: Length of z.
        image_size: Side of the image in pixels, a multiple of 16 from 32 on.
        channels: 1 or 3.
        width: Filters of the finest layer.
    """

    def __init__(self, latent_dim: int, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.ConvTranspose2d(latent_dim, 8 * width, image_size // 16, bias=False),
            nn.BatchNorm2d(8 * width),
            nn.ReLU(inplace=True),
            *upsample(8 * width, 4 * width),
            *upsample(4 * width, 2 * width),
            *upsample(2 * width, width),
            nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] from z (N, latent_dim)."""
        return cast(Tensor, self.blocks(latent[:, :, None, None]))


class Discriminator(nn.Module):
    """Image to a logit, by five convolutions.

    At 64 pixels, three channels and ``width`` 64 it has 2,765,568 parameters, and what
    :attr:`block4` makes, (N, 512, 4, 4) after batch norm and leaky ReLU, are paper D's features.

    Args:
        image_size: Side of the image in pixels, a multiple of 16 from 32 on.
        channels: 1 or 3.
        width: Filters of the finest layer.
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        self.block1 = nn.Sequential(
            nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)
        )
        self.block2 = _downsample(width, 2 * width)
        self.block3 = _downsample(2 * width, 4 * width)
        self.block4 = _downsample(4 * width, 8 * width)
        self.head = nn.Conv2d(8 * width, 1, image_size // 16, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N,) that images (N, C, H, W) are real faces."""
        hidden = self.block4(self.block3(self.block2(self.block1(images))))
        return cast(Tensor, self.head(hidden).flatten())


def _downsample(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2, inplace=True),
    )
