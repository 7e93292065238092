"""Attention at the end of a residual block: SE (Hu et al. 2018) and CBAM (Woo et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

REDUCTION = 16
"""By what the hidden layer is narrower than the maps are deep, in both papers."""


class SqueezeExcitation(nn.Module):
    """Weighs each channel by all channels' means: ``x * sigmoid(W2 relu(W1 mean(x)))``.

    Squeeze-and-Excitation Networks (arXiv 1709.01507), equations 2 to 4. The layers have no bias,
    as the paper advises for ResNets.

    Args:
        channels: Channels of the maps.
        reduction: By what the hidden layer is narrower.
    """

    def __init__(self, channels: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.excite = _bottleneck(channels, reduction)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, C, H, W), weighed."""
        weights = torch.sigmoid(self.excite(maps.mean((2, 3))))
        return maps * weights[:, :, None, None]


class CBAM(nn.Module):
    """Weighs channels, then places, each by means and maxima.

    Convolutional Block Attention Module (arXiv 1807.06521), equations 2 and 3::

        x' = x  * sigmoid(MLP(mean over places of x) + MLP(max over places of x))
        y  = x' * sigmoid(f([mean over channels of x'; max over channels of x']))

    The MLP has no bias; f is a 7x7 convolution with batch normalisation, as in the authors' code.
    Without that the maxima, which are never small, would saturate the sigmoid from the start.

    Args:
        channels: Channels of the maps.
        reduction: By what the hidden layer of the MLP is narrower.
    """

    def __init__(self, channels: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.channels = _bottleneck(channels, reduction)
        self.places = nn.Sequential(
            nn.Conv2d(2, 1, 7, padding=3, bias=False),
            nn.BatchNorm2d(1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, C, H, W), weighed."""
        weights = self.channels(maps.mean((2, 3))) + self.channels(maps.amax((2, 3)))
        maps = maps * torch.sigmoid(weights)[:, :, None, None]
        planes = torch.cat([maps.mean(1, keepdim=True), maps.amax(1, keepdim=True)], 1)
        return maps * torch.sigmoid(self.places(planes))


def _bottleneck(channels: int, reduction: int) -> nn.Sequential:
    hidden = max(channels // reduction, 1)
    return nn.Sequential(
        nn.Linear(channels, hidden, bias=False),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, channels, bias=False),
    )


def attend(network: ResNet, attention: type[SqueezeExcitation] | type[CBAM]) -> None:
    """Put attention at the end of every residual branch, before the addition.

    Args:
        network: A ResNet of basic blocks, changed in place.
        attention: What is put there.
    """
    for block in network.modules():
        if isinstance(block, BasicBlock):
            # The stock block adds right after its last normalisation.
            block.bn2 = nn.Sequential(block.bn2, attention(block.bn2.num_features))
