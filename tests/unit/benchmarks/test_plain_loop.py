"""The plain loop is a fair opponent: the same networks, however they lie in memory."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.benchmarks.plain_loop import PlainLoop
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.models.cgan.config import CGANConfig

CPU = torch.device("cpu")


@pytest.fixture
def faces() -> FaceDataModule:
    data = Drawn(count=70, picture_size=32, subjects=10, batch_size=8)
    module = FaceDataModule(data, WholeImageConfig(), 16, 1, 0)
    module.setup()
    return module


def loop(faces: FaceDataModule, memory_format: torch.memory_format, **options: bool) -> PlainLoop:
    made = PlainLoop(CGANConfig(width=4), faces, CPU, memory_format, options.pop("fused", None))
    torch.manual_seed(0)
    for _ in range(2):
        made.step(**options)
    return made


def weights(made: PlainLoop) -> torch.Tensor:
    networks = (made.generator, made.discriminator)
    return torch.cat([p.detach().reshape(-1) for n in networks for p in n.parameters()])


def test_memory_order_fusing_and_freezing_change_no_weight(faces: FaceDataModule) -> None:
    default = loop(faces, torch.contiguous_format)
    start = PlainLoop(CGANConfig(width=4), faces, CPU, torch.contiguous_format, None)
    moved = (weights(default) - weights(start)).abs().max()
    assert moved > 3e-4  # Adam moves some weights by nearly its step size, twice
    for other in (
        loop(faces, torch.channels_last, fused=True),
        loop(faces, torch.contiguous_format, frozen=True),
    ):
        assert (weights(other) - weights(default)).abs().max() < moved / 50


def test_operations_grow_with_the_square_of_the_width(faces: FaceDataModule) -> None:
    small, large = (
        PlainLoop(CGANConfig(width=width), faces, CPU, torch.channels_last, None).operations()
        for width in (16, 32)
    )
    assert 3 < large / small < 4
