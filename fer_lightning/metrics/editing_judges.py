"""The classifiers that say what edits show, and what each of them has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from fer_lightning.errors import UserError
from fer_lightning.features.classifier import ClassifierFeatureConfig
from fer_lightning.features.network import ExpressionClassifier, Features
from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.editing import ClassifierF1, FrechetEmotionDistance, SmoothnessScore
from fer_lightning.metrics.judges import TrainedJudge, distinct, faces_of_judge

KEY = "editing.classifiers"

DISTANCE = "fed"
"""Has no mean over classifiers, since each of them measures in a scale of its own."""

NO_NEUTRAL = "no neutral face"
"""Why nothing is led along an emotion."""


@dataclass(frozen=True)
class EditingJudge(TrainedJudge):
    """A classifier whose answers and vectors edits are measured by.

    Attributes:
        network: The classifier.
        emotions: All that it knows, the classes of the model first and in their order.
    """

    network: ExpressionClassifier
    emotions: Sequence[str]

    @property
    def checkpoint(self) -> str:
        """Hash of its weights."""
        return str(self.network.protocol["checkpoint"])

    def features(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (N, d) and logits (N, k), in the order of :attr:`emotions`.

        Args:
            faces: uint8 of shape (N, H, W, C), on the device of the network.
        """
        found: Features = self.network(faces)
        assert found.logits is not None  # it is a classifier
        columns = [list(self.network.emotions).index(emotion) for emotion in self.emotions]
        return found.vectors, found.logits[:, columns]


def editing_judges(classes: Sequence[str], given: Sequence[Path]) -> list[EditingJudge]:
    """The classifiers of ``editing.classifiers``.

    Args:
        classes: Of the model that edits.
        given: Run folders, or ``experiment:NAME``, which is trained first where it is missing.

    Raises:
        UserError: If one is given twice, is not to be had, or does not know all the classes.
    """
    return distinct((_judge(classes, text) for text in given), KEY)


def _judge(classes: Sequence[str], given: Path) -> EditingJudge:
    config = ClassifierFeatureConfig(run=given)
    network = ExpressionClassifier(config, KEY).requires_grad_(False).eval()
    run = config.run.expanduser()  # by now the folder of an experiment, too
    unknown = [emotion for emotion in classes if emotion not in network.emotions]
    if unknown:
        raise UserError(
            f"{KEY}={run} does not know {', '.join(unknown)}; it was trained on "
            f"{', '.join(network.emotions)}: give another classifier"
        )
    others = [emotion for emotion in network.emotions if emotion not in classes]
    return EditingJudge(run, faces_of_judge(run), network, [*classes, *others])


class Judgement:
    """What one classifier finds in faces and their edits, batch by batch.

    Args:
        judge: The classifier.
        classes: Of the model that edits.
        emotions: Those that neutral faces are led along.

    Attributes:
        judge: The classifier.
        of_real: Its answers to real faces.
        of_edits: Its answers to their edits.
        curves: How its probability of a wanted emotion grows.
    """

    def __init__(
        self, judge: EditingJudge, classes: Sequence[str], emotions: Sequence[str]
    ) -> None:
        self.judge = judge
        self.of_real, self.of_edits = (ClassifierF1(judge.emotions, classes) for _ in range(2))
        self.distance = FrechetEmotionDistance(judge.network.num_features)
        self.curves = SmoothnessScore(emotions)
        self.led = False  # whether there are curves

    def take(self, faces: Tensor, shown: Tensor, edits: Tensor, wanted: Tensor) -> None:
        """Look at real faces and at their edits.

        Args:
            faces: uint8 of shape (N, H, W, C).
            shown: Class of each, (N,).
            edits: Likewise.
            wanted: Class that each was edited to, (N,).
        """
        for images, meant, answers, real in (
            (faces, shown, self.of_real, True),
            (edits, wanted, self.of_edits, False),
        ):
            vectors, logits = self.judge.features(images)
            self.distance.update(vectors, real)
            answers.update(logits, meant)

    def follow(self, curves: Tensor) -> None:
        """Take its probabilities along the emotions, as :class:`SmoothnessScore` does."""
        self.led = True
        self.curves.update(curves)

    def compute(self) -> Comparison:
        """``macro_f1``, ``macro_f1_real``, ``fed``, ``smoothness`` and what belongs to them."""
        found = self.of_edits.compute()
        real = self.of_real.compute()
        found.metrics |= {_ended(name, "_real"): value for name, value in real.metrics.items()}
        found.left_out |= {_ended(name, "_real"): why for name, why in real.left_out.items()}
        count = len(self.of_real.answers())
        found.take([DISTANCE], 2, count, self.distance.compute)
        if self.led:
            found.add(self.curves.compute())
        else:
            found.left_out["smoothness"] = NO_NEUTRAL
        return found


def over_judges(found: Sequence[Comparison]) -> Comparison:
    """What several classifiers have found, as one.

    Of one classifier, its numbers as they are. Of several, ``<name>_<m>`` is that of the m-th,
    ``<name>`` their mean and ``<name>_sd`` the standard deviation (n - 1); ``fed`` has neither.
    """
    if len(found) == 1:
        return found[0]
    merged = Comparison()
    for name in dict.fromkeys(name for each in found for name in each.metrics):
        values = [each.metrics[name] for each in found if name in each.metrics]
        if name != DISTANCE and len(values) == len(found):
            merged.metrics[name] = float(np.mean(values))
            merged.metrics[_ended(name, "_sd")] = float(np.std(values, ddof=1))
        elif name != DISTANCE:
            without = [str(m) for m, each in enumerate(found, 1) if name not in each.metrics]
            merged.left_out[name] = f"none by classifier {' and '.join(without)}"
    for number, each in enumerate(found, 1):
        end = f"_{number}"
        merged.metrics |= {_ended(name, end): value for name, value in each.metrics.items()}
        merged.left_out |= {_ended(name, end): why for name, why in each.left_out.items()}
    return merged


def _ended(name: str, end: str) -> str:
    """A metric's name with an end before its class."""
    overall, slash, group = name.partition("/")
    return f"{overall}{end}{slash}{group}"
