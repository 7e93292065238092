"""Classifiers that judge what a model makes of faces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.recorded import faces_of_run
from fer_lightning.errors import UserError
from fer_lightning.experiments import prepared_run
from fer_lightning.models.classifier.frozen import FrozenClassifier
from fer_lightning.models.egc_gan.module import EGCGAN

KEY = "translation.classifiers"


@dataclass(frozen=True)
class TrainedJudge(ABC):
    """A classifier that judges, and where it is from.

    Attributes:
        run: Its run folder.
        trained_on: The faces of its training; None where they are not to be had.
    """

    run: Path
    trained_on: FaceDataModule | None

    @property
    @abstractmethod
    def checkpoint(self) -> str:
        """Hash of its weights."""


@dataclass(frozen=True)
class Judge(TrainedJudge):
    """A classifier that names faces before and after they are translated.

    Attributes:
        network: The classifier, with all that it knows.
        in_loss: Whether the model was trained against it.
    """

    network: FrozenClassifier
    in_loss: bool

    @property
    def checkpoint(self) -> str:
        """Hash of its weights."""
        return self.network.checkpoint


AnyJudge = TypeVar("AnyJudge", bound=TrainedJudge)


def judges_of(module: EGCGAN, given: Sequence[Path]) -> list[Judge]:
    """The classifiers of ``translation.classifiers``; of none, the one in the model's loss.

    Raises:
        UserError: If there is none, one is given twice, is not to be had, or does not know all of
            the model's classes.
    """
    own = module.config.classifier
    wanted = list(given) or ([] if own is None else [own])
    if not wanted:
        raise UserError(
            f"{KEY} is required, since the model was trained without a classifier: pass "
            f"{KEY}=[RUN,RUN], runs of `fer train model=classifier` on the target domain"
        )
    return distinct((_judge(module, text) for text in wanted), KEY)


def _judge(module: EGCGAN, given: Path) -> Judge:
    run, own = prepared_run(given, KEY, "classifier").expanduser(), module.config.classifier
    network = FrozenClassifier(run, module.classes, KEY, others=True)
    same = own is not None and own.expanduser().resolve() == run.resolve()
    in_loss = same or network.checkpoint == module.classifier_hash
    return Judge(run, faces_of_judge(run), network, in_loss and module.classifier_hash is not None)


def distinct(found: Iterable[AnyJudge], key: str) -> list[AnyJudge]:
    """Judges one after another, as they come.

    Args:
        found: The judges.
        key: That they were given by.

    Raises:
        UserError: If one comes twice.
    """
    judges: dict[str, AnyJudge] = {}
    for judge in found:
        twin = judges.setdefault(judge.checkpoint, judge)
        if twin is not judge:
            raise UserError(f"{key}: {twin.run} and {judge.run} are one classifier; give it once")
    return list(judges.values())


def faces_of_judge(run: Path) -> FaceDataModule | None:
    """The faces that a classifier was trained on; None where they are not to be had."""
    try:
        return faces_of_run(run, labelled=True)
    except UserError:
        return None  # the report says that it is unknown
