"""RetinaFace's network (Deng et al. 2020), written so that the published weights load by name.

Architecture and names are those of biubug6/Pytorch_Retinaface; needs torch when imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet50

from fer_lightning.detectors.retinaface import Backbone

ANCHORS = 2
"""Prior boxes at each place of each level."""


class RetinaFaceNetwork(nn.Module):
    """Backbone, feature pyramid of strides 8, 16 and 32, context modules, three heads a level.

    Modules are called as in the published state dicts, ``ClassHead`` and all.

    Args:
        backbone: What computes the features; the wider one has the wider pyramid.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        stages, inputs, width = _BODIES[backbone]
        self.body = Body(stages(), taken=3)
        self.fpn = FeaturePyramid(inputs, width)
        self.ssh1, self.ssh2, self.ssh3 = (ContextModule(width) for _ in inputs)
        self.ClassHead = nn.ModuleList(Head(width, 2) for _ in inputs)
        self.BboxHead = nn.ModuleList(Head(width, 4) for _ in inputs)
        self.LandmarkHead = nn.ModuleList(Head(width, 10) for _ in inputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Look at images of any size; what comes out is in the order of ``prior_boxes``.

        Args:
            images: Blue, green, red in [0, 255] less their means, of shape (N, 3, H, W).

        Returns:
            Face probability (N, P), box shifts (N, P, 4) and landmark shifts (N, P, 10).
        """
        levels = self.fpn(self.body(images))
        contexts = (self.ssh1, self.ssh2, self.ssh3)
        features = [ssh(level) for ssh, level in zip(contexts, levels, strict=True)]
        logits, boxes, landmarks = (
            torch.cat([head(x) for head, x in zip(heads, features, strict=True)], 1)
            for heads in (self.ClassHead, self.BboxHead, self.LandmarkHead)
        )
        return logits.softmax(2)[..., 1], boxes, landmarks


class Body(nn.ModuleDict):
    """Stages that run one after another.

    Args:
        stages: Name and module of each.
        taken: How many of the last ones' outputs are handed on.
    """

    def __init__(self, stages: Iterable[tuple[str, nn.Module]], taken: int) -> None:
        super().__init__(dict(stages))
        self.taken = taken

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features of falling resolution."""
        features = [images]
        for stage in self.values():
            features = [*features[1 - self.taken :], stage(features[-1])]
        return features


class FeaturePyramid(nn.Module):
    """Levels of one width, each with what the next coarser one knows added.

    Args:
        inputs: Channels of the three levels, by falling resolution.
        width: Channels of what comes out.
    """

    def __init__(self, inputs: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (
            _conv(c, width, 1, _slope(width)) for c in inputs
        )
        self.merge1, self.merge2 = (_conv(width, width, 3, _slope(width)) for _ in range(2))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Three levels (N, width, h, w) from three of other widths and the same sizes."""
        fine, middle, coarse = features
        coarse = self.output3(coarse)
        middle = self.merge2(_add_coarser(self.output2(middle), coarse))
        fine = self.merge1(_add_coarser(self.output1(fine), middle))
        return [fine, middle, coarse]


class ContextModule(nn.Module):
    """SSH (Najibi et al. 2017): views of 3, 5 and 7 pixels, from 3 x 3 convolutions in a row.

    Args:
        width: Channels of what goes in and what comes out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.conv3X3 = _conv(width, half, 3)
        self.conv5X5_1 = _conv(width, quarter, 3, _slope(width))
        self.conv5X5_2 = _conv(quarter, quarter, 3)
        self.conv7X7_2 = _conv(quarter, quarter, 3, _slope(width))
        self.conv7x7_3 = _conv(quarter, quarter, 3)

    def forward(self, level: Tensor) -> Tensor:
        """Features (N, width, h, w) of the same shape."""
        shared = self.conv5X5_1(level)
        views = self.conv3X3(level), self.conv5X5_2(shared), self.conv7x7_3(self.conv7X7_2(shared))
        return torch.cat(views, 1).relu_()


class Head(nn.Module):
    """One value or more for each prior box of a level.

    Args:
        width: Channels of the level.
        values: How many for a box.
    """

    def __init__(self, width: int, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(width, ANCHORS * values, 1)

    def forward(self, level: Tensor) -> Tensor:
        """Values (N, ANCHORS * h * w, values) from a level (N, width, h, w)."""
        return (
            cast(Tensor, self.conv1x1(level))
            .permute(0, 2, 3, 1)
            .reshape(len(level), -1, self.values)
        )


def _add_coarser(level: Tensor, coarser: Tensor) -> Tensor:
    return level + F.interpolate(coarser, size=level.shape[2:], mode="nearest")


def _slope(width: int) -> float:
    """Of the leaky ReLUs: narrow networks were trained with 0.1, wide ones with none."""
    return 0.1 if width <= 64 else 0.0


def _conv(
    inputs: int,
    outputs: int,
    side: int,
    slope: float | None = None,
    stride: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """Convolution and batch norm, and a leaky ReLU where a slope is given."""
    conv = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)
    norm = nn.BatchNorm2d(outputs)
    if slope is None:
        return nn.Sequential(conv, norm)
    return nn.Sequential(conv, norm, nn.LeakyReLU(slope, inplace=True))


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution a channel, then one across channels."""
    return nn.Sequential(
        *_conv(inputs, inputs, 3, 0.1, stride, groups=inputs), *_conv(inputs, outputs, 1, 0.1)
    )


def _mobilenet025() -> list[tuple[str, nn.Module]]:
    """MobileNet (Howard et al. 2017) with a quarter of its channels."""
    stages = {
        "stage1": nn.Sequential(
            _conv(3, 8, 3, 0.1, stride=2),
            _separable(8, 16),
            _separable(16, 32, stride=2),
            _separable(32, 32),
            _separable(32, 64, stride=2),
            _separable(64, 64),
        ),
        "stage2": nn.Sequential(
            _separable(64, 128, stride=2), *(_separable(128, 128) for _ in range(5))
        ),
        "stage3": nn.Sequential(_separable(128, 256, stride=2), _separable(256, 256)),
    }
    return list(stages.items())


def _resnet50() -> list[tuple[str, nn.Module]]:
    """All of torchvision's ResNet-50 but its classifier."""
    return [(k, stage) for k, stage in resnet50().named_children() if k not in ("avgpool", "fc")]


_BODIES = {
    Backbone.mobilenet025: (_mobilenet025, (64, 128, 256), 64),
    Backbone.resnet50: (_resnet50, (512, 1024, 2048), 256),
}
"""Stages, channels of the last three, and width of the pyramid."""
