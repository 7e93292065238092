"""What edits are measured by, batch by batch: torchmetrics classes over functional cores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from fer_lightning.metrics.distribution import Comparison, FrechetDistance, GivenFeatures
from fer_lightning.metrics.functional.editing import (
    agreement,
    critic_metrics,
    smoothness_metrics,
)
from fer_lightning.metrics.functional.translation import paired_ssim


class FrechetEmotionDistance(FrechetDistance):
    """FED: a Fréchet distance between vectors of a classifier of emotions (paper E, Table III).

    The vectors are those that its last linear layer receives; paper E says only "last
    convolutional or dense layer". Values depend on their number and scale, and hold only beside
    others of one classifier and of equal counts.

    Args:
        num_features: Length d of a vector.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__(GivenFeatures(num_features), sync_on_compute=False)

    def update(self, vectors: Tensor, real: bool) -> None:
        """Take vectors, (N, d), of real faces or of edits."""
        # On the CPU, for float64 is slow on most GPUs, and the value is the same everywhere.
        super().update(vectors.cpu().double(), real)


class _Gathering(Metric):
    """Keeps all that it is given, on the CPU."""

    full_state_update = False

    def __init__(self, *names: str) -> None:
        super().__init__(sync_on_compute=False)
        for name in names:
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def _keep(self, name: str, values: Tensor) -> None:
        getattr(self, name).append(values.detach().cpu())

    def _array(self, name: str) -> NDArray[Any]:
        kept: NDArray[Any] = torch.cat(getattr(self, name)).numpy()
        return kept


class SmoothnessScore(_Gathering):
    """How evenly an emotion grows with the intensity that is asked for (paper E, Table IV).

    Args:
        emotions: Names of the E emotions.
    """

    def __init__(self, emotions: Sequence[str]) -> None:
        super().__init__("curves")
        self.emotions = list(emotions)

    def update(self, curves: Tensor) -> None:
        """Take what a classifier gives each wanted emotion at growing intensities, (N, E, n)."""
        self._keep("curves", curves.double())

    def compute(self) -> Comparison:
        """As :func:`~fer_lightning.metrics.functional.editing.smoothness_metrics` has it."""
        return smoothness_metrics(self._array("curves"), self.emotions)

    def mean_curves(self) -> dict[str, list[float]]:
        """The curve of each emotion, averaged over the faces: n numbers."""
        return dict(zip(self.emotions, self._array("curves").mean(0).tolist(), strict=True))


class CriticF1(_Gathering):
    """How well the discriminator tells edits from real faces (paper E, Table V).

    Args:
        seed: Draws the half of the pairs that the middle between the two is found on.
    """

    def __init__(self, seed: int) -> None:
        super().__init__("real", "fake")
        self.seed = seed

    def update(self, real: Tensor, fake: Tensor) -> None:
        """Take scores of real faces and of their edits, both (N,); larger is more real."""
        self._keep("real", real.double())
        self._keep("fake", fake.double())

    def compute(self) -> Comparison:
        """As :func:`~fer_lightning.metrics.functional.editing.critic_metrics` has it."""
        return critic_metrics(*self.scores(), self.seed)

    def scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All scores, of real faces and of edits, both (N,)."""
        return self._array("real"), self._array("fake")


class ClassifierF1(_Gathering):
    """How a classifier's answers agree with what faces were to show (paper E, Tables I and II).

    The classifier answers with the likeliest emotion that it knows; one that is no class of the
    model is wrong of every face. The mean of F1 is unweighted, over all classes of the model.

    Args:
        known: Emotions of the classifier, by column of its logits.
        classes: Those of the model, all of which the classifier knows.
    """

    def __init__(self, known: Sequence[str], classes: Sequence[str]) -> None:
        super().__init__("logits", "meant")
        self.known = list(known)
        self.classes = list(classes)

    def update(self, logits: Tensor, meant: Tensor) -> None:
        """Take logits, (N, k), and the class that each face was to show, (N,)."""
        self._keep("logits", logits)
        self._keep("meant", meant)

    def compute(self) -> Comparison:
        """As :func:`~fer_lightning.metrics.functional.editing.agreement` has it."""
        answered = np.array(self.known)[self.answers()]
        return agreement(answered, np.array(self.classes)[self._array("meant")], self.classes)

    def answers(self) -> NDArray[np.int64]:
        """The answer for each face, as a number among ``known``, (N,)."""
        likeliest: NDArray[np.int64] = self._array("logits").argmax(1)
        return likeliest


class PairedSSIM(Metric):
    """Mean structural similarity of images to what they should equal, at most 1.

    As :func:`~fer_lightning.metrics.functional.translation.paired_ssim` has it.
    """

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__(sync_on_compute=False)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, images: Tensor, sources: Tensor) -> None:
        """Take pairs, both (N, C, H, W) in [-1, 1], H and W at least 11."""
        self.total += len(images) * paired_ssim(images, sources)
        self.count += len(images)

    def compute(self) -> Tensor:
        """The mean over all pairs, a float64 scalar."""
        return self.total / self.count
