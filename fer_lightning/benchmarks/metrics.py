"""The Fréchet distance beside torch-fidelity's and torchmetrics', on the same features."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.metrics.distribution import PIECE, GivenFeatures, frechet_distance

COUNT, WIDTH = 5_000, 2_048
"""Images in each set, and Inception's features of one."""
TOLERANCE = 1e-5
"""Largest relative difference of the values."""
OURS, FIDELITY, TORCHMETRICS = "fer_lightning", "torch-fidelity", "torchmetrics"


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Seconds from the features of both sets to FID."""
    real, fake = _two_sets()
    found: dict[str, float] = {}
    functions = {OURS: frechet_distance, FIDELITY: _by_fidelity, TORCHMETRICS: _by_torchmetrics}
    ways = {name: _timed(name, function, real, fake, found) for name, function in functions.items()}
    result = in_turn("FID", "s", ways, config.rounds)
    furthest = max(abs(value / found[FIDELITY] - 1) for value in found.values())
    result.goals = [
        Goal(f"of {FIDELITY}'s time", result.ratio(OURS, FIDELITY), 1, at_least=False),
        Goal("largest relative difference of the values", furthest, TOLERANCE, at_least=False),
    ]
    result.notes = [f"Two sets of {COUNT:,} vectors of {WIDTH:,} numbers, float32."]
    yield result


def _timed(
    name: str,
    distance: Callable[[Tensor, Tensor], float],
    real: Tensor,
    fake: Tensor,
    found: dict[str, float],
) -> Way:
    def way() -> float:
        start = time.perf_counter()
        found[name] = distance(real, fake)
        return time.perf_counter() - start

    return way


def _by_fidelity(real: Tensor, fake: Tensor) -> float:
    statistics = [fid_features_to_statistics(features) for features in (real, fake)]
    found = fid_statistics_to_metric(*statistics, verbose=False)
    return float(found["frechet_inception_distance"])


def _by_torchmetrics(real: Tensor, fake: Tensor) -> float:
    metric = FrechetInceptionDistance(GivenFeatures(WIDTH), sync_on_compute=False)
    for vectors, is_real in ((real, True), (fake, False)):
        for piece in torch.split(vectors, PIECE):
            metric.update(piece.double(), is_real)
    return float(metric.compute())


def _two_sets() -> tuple[Tensor, Tensor]:
    """Skewed, correlated and non-negative, as Inception's pool features are."""
    generator = torch.Generator().manual_seed(0)
    scales = torch.linspace(0.01, 1, WIDTH)
    mixing = torch.randn((WIDTH, WIDTH), generator=generator) / WIDTH**0.5 * scales
    real, fake = (torch.randn((COUNT, WIDTH), generator=generator) @ mixing for _ in range(2))
    return real.relu(), (fake * 1.1 + 0.02).relu()
