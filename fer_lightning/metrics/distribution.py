"""How far generated images are from real ones in one feature space."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from fer_lightning.errors import UserError
from fer_lightning.features.network import Features
from fer_lightning.metrics.functional.prdc import prdc
from fer_lightning.registry import metrics

SUBSETS, SUBSET_SIZE = 100, 1000
"""Of KID: how many, and the most vectors in one; torch-fidelity's."""
SPLITS = 10
"""Of the Inception Score."""
PIECE = 4096
"""Vectors given to a metric at once, which takes them in float64."""

NAMES = {
    "inception": ("fid", "kid", "inception_score"),
    "classifier": ("fed", "kernel_classifier", "is_fer"),
}
"""What the Fréchet distance, the kernel distance and the Inception Score are called in the spaces
where the field has names for them; elsewhere they are named after the space, without a score."""

Metric = Callable[[Tensor, Tensor], float]
"""A third party's measure, an entry point of the group ``fer_lightning.metrics``.

It takes the vectors of real images, float32 of shape (N, d), and of generated ones, (M, d), on the
device of the model, N and M at least 2, without gradients; it returns a number, or nan where it
has none. What it draws from torch's random state on the CPU is seeded by ``evaluation.seed``.
"""


def subsets_of(real: int, fake: int) -> tuple[int, int]:
    """Number of KID's subsets and vectors in one; a subset that holds all is drawn once."""
    size = min(SUBSET_SIZE, real, fake)
    return (1 if size == real == fake else SUBSETS), size


@dataclass
class Comparison:
    """What was measured in one feature space.

    Attributes:
        metrics: Name to value.
        left_out: Name to the reason why there is no value.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def take(self, names: list[str], least: int, have: int, measure: Callable[[], object]) -> None:
        """Measure where there are enough images, and keep what is a number."""
        if have < least:
            self.left_out |= dict.fromkeys(names, f"needs {least} images, has {have}")
            return
        values = torch.as_tensor(measure(), dtype=torch.float64).reshape(-1).tolist()
        for name, value in zip(names, values, strict=True):
            if torch.isfinite(torch.tensor(value)):
                self.metrics[name] = value
            else:
                self.left_out[name] = f"is no number ({value})"

    def add(self, other: Comparison) -> None:
        """Take over what was measured elsewhere."""
        self.metrics |= other.metrics
        self.left_out |= other.left_out


def compare(
    space: str,
    real: Tensor,
    fake: Features,
    neighbours: int,
    seed: int,
    group: str | None = None,
) -> Comparison:
    """All measures of a feature space, named as :data:`NAMES` has it.

    Those of third parties are named ``<name>_<space>``.

    Args:
        space: Name of the feature network.
        real: Vectors of real images, (N, d).
        fake: Features of generated ones, (M, d).
        neighbours: k of precision, recall, density and coverage.
        seed: Of KID's subsets and the Inception Score's order.
        group: Class that all images are of; it ends the names.

    Raises:
        UserError: If a third party's metric has the name of one of ours.
    """
    end = f"/{group}" if group else ""
    frechet, kernel, score = NAMES.get(space, (f"frechet_{space}", f"kernel_{space}", None))
    have = min(len(real), len(fake.vectors))
    found = Comparison()
    found.take([frechet + end], 2, have, lambda: frechet_distance(real, fake.vectors))
    kernel_names = [kernel + end, f"{kernel}_sd{end}"]
    if have and subsets_of(len(real), len(fake.vectors))[0] == 1:
        found.left_out[kernel_names.pop()] = "one subset holds all images"
    measured = len(kernel_names)
    found.take(kernel_names, 2, have, lambda: kernel_distance(real, fake.vectors, seed)[:measured])
    if score is not None and fake.logits is not None:
        logits = fake.logits
        found.take(
            [f"{score}{end}", f"{score}_sd{end}"],
            2 * SPLITS,
            len(logits),
            lambda: inception_score(logits, seed),
        )
    found.take(
        [f"{name}_{space}{end}" for name in ("precision", "recall", "density", "coverage")],
        neighbours + 1,
        have,
        lambda: prdc(real, fake.vectors, neighbours),
    )
    for name, package in metrics.packages.items():
        full = f"{name}_{space}{end}"
        if full in found.metrics or full in found.left_out:
            raise UserError(f"the metric {name!r} of {package} has the name of a built-in one")
        found.take([full], 2, have, partial(third_party, name, real, fake.vectors, seed))
    return found


class FrechetDistance(FrechetInceptionDistance):
    """Torchmetrics' FID whose last step takes symmetric eigenvalues, in float64.

    Tr (Σ_r Σ_f)^½ is the sum of the roots of the eigenvalues of Σ_r Σ_f (Heusel et al. 2017,
    equation 6), which are those of the symmetric Rᵀ Σ_f R for any R with Σ_r = R Rᵀ. That takes
    less than half the time of the general eigenvalues, and none is complex or negative.
    """

    def compute(self) -> Tensor:
        """Fréchet distance from the sums over both sets, a float64 scalar.

        Raises:
            RuntimeError: If a set holds fewer than two images.
        """
        # Torchmetrics' states bear these names on the real and on the fake side.
        mean_r, covariance_r = self._moments("real")
        mean_f, covariance_f = self._moments("fake")
        if not (covariance_r.isfinite().all() and covariance_f.isfinite().all()):
            return covariance_r.new_tensor(torch.nan)  # eigenvalues would raise an error
        root = _root(covariance_r)
        shared = torch.linalg.eigvalsh(root.T @ covariance_f @ root).clamp(min=0).sqrt().sum()
        traces = covariance_r.trace() + covariance_f.trace()
        distance: Tensor = (mean_r - mean_f).square().sum() + traces - 2 * shared
        return distance

    def _moments(self, side: str) -> tuple[Tensor, Tensor]:
        count: Tensor = getattr(self, f"{side}_features_num_samples")
        total: Tensor = getattr(self, f"{side}_features_sum").double()
        products: Tensor = getattr(self, f"{side}_features_cov_sum").double()
        if count < 2:
            raise RuntimeError(f"a Fréchet distance needs two images, but {side} has {int(count)}")
        mean = total / count
        return mean, (products - count * torch.outer(mean, mean)) / (count - 1)


def _root(covariance: Tensor) -> Tensor:
    """R of shape (d, r) with covariance R Rᵀ; r is d, or the rank where that is lower."""
    factor = torch.linalg.cholesky_ex(covariance)
    if not factor.info:
        triangle: Tensor = factor.L
        return triangle
    # Fewer images than dimensions, or dimensions that never vary.
    values, vectors = torch.linalg.eigh(covariance)
    positive = values > values[-1] * len(values) * torch.finfo(values.dtype).eps
    root: Tensor = vectors[:, positive] * values[positive].sqrt()
    return root


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance of the Gaussians of two sets, in float64 (Heusel et al. 2017).

    Args:
        real: Shape (N, d), N at least 2.
        fake: Shape (M, d), M at least 2.
    """
    metric = FrechetDistance(GivenFeatures(real.shape[1]), sync_on_compute=False)
    for vectors, is_real in ((real, True), (fake, False)):
        for piece in torch.split(vectors, PIECE):
            # On the CPU, for float64 is slow on most GPUs, and the value is the same everywhere.
            metric.update(piece.cpu().double(), is_real)
    return float(metric.compute())


def kernel_distance(real: Tensor, fake: Tensor, seed: int) -> tuple[float, float]:
    """Mean and deviation of the kernel distance over subsets (Bińkowski et al. 2018).

    The cubic kernel and the unbiased estimate, so that values may be a little below 0.
    """
    number, size = subsets_of(len(real), len(fake))
    with _seeded(seed):
        metric = KernelInceptionDistance(
            GivenFeatures(real.shape[1]), subsets=number, subset_size=size, sync_on_compute=False
        )
        metric.update(real.double(), True)
        metric.update(fake.double(), False)
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


def inception_score(logits: Tensor, seed: int) -> tuple[float, float]:
    """Mean and deviation of the Inception Score over splits (Salimans et al. 2016)."""
    with _seeded(seed):
        given = GivenFeatures(logits.shape[1])
        metric = InceptionScore(given, splits=SPLITS, sync_on_compute=False)
        metric.update(logits.double())
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


def third_party(name: str, real: Tensor, fake: Tensor, seed: int) -> float:
    """What a registered :data:`Metric` says."""
    metric: Metric = metrics.load(name)
    with _seeded(seed):
        return metric(real, fake)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torchmetrics draws from the global random state: give it one, and put the old one back."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features.*")
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed GPUs, too
        yield


class GivenFeatures(nn.Module):
    """Stands where torchmetrics wants a network: the features have been computed already.

    Args:
        num_features: Length of a vector.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        """Features as they are."""
        return features
