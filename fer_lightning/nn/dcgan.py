"""What other generators have taken over from DCGAN (Radford et al. 2015): layers and weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_lightning.models.config import Prior


def upsample(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Layers that double the side; a kernel that the stride divides leaves no checkerboard."""
    return (
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


@torch.no_grad()
def initialise(network: nn.Module, std: float) -> None:
    """DCGAN's initial weights: N(0, std), BatchNorm scales N(1, std), biases 0.

    Args:
        network: Changed in place.
        std: Standard deviation.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.weight.normal_(0, std)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.normal_(1, std)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()


def latent_vectors(prior: Prior, count: int, length: int, generator: torch.Generator) -> Tensor:
    """Draw z of a prior: N(0, I), or uniform on [-1, 1].

    Args:
        prior: The distribution.
        count: Vectors.
        length: Values in each.
        generator: Where the numbers come from; its device is that of the result.

    Returns:
        float32 of shape (count, length).
    """
    shape = (count, length)
    if prior is Prior.normal:
        return torch.randn(shape, generator=generator, device=generator.device)
    return torch.rand(shape, generator=generator, device=generator.device) * 2 - 1
