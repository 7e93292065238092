"""Classifiers that judge what a model translates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_lightning.data.recorded import trained_archives
from fer_lightning.errors import UserError
from fer_lightning.experiments import prepared_run
from fer_lightning.models.classifier.frozen import FrozenClassifier
from fer_lightning.models.egc_gan.module import EGCGAN

KEY = "translation.classifiers"


@dataclass(frozen=True)
class Judge:
    """A classifier that names faces before and after they are translated.

    Attributes:
        run: Its run folder.
        network: The classifier, with all that it knows.
        in_loss: Whether the model was trained against it.
        archives: Hashes of the archives that it was trained on; None where its run does not say.
    """

    run: Path
    network: FrozenClassifier
    in_loss: bool
    archives: frozenset[str] | None


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
    judges: dict[str, Judge] = {}
    for text in wanted:
        run = prepared_run(text, KEY).expanduser()
        network = FrozenClassifier(run, module.classes, KEY, others=True)
        twin = judges.get(network.checkpoint)
        if twin is not None:
            raise UserError(f"{KEY}: {twin.run} and {run} are one classifier; give it once")
        same = own is not None and own.expanduser().resolve() == run.resolve()
        in_loss = same or network.checkpoint == module.classifier_hash
        judges[network.checkpoint] = Judge(
            run, network, in_loss and module.classifier_hash is not None, archives_of(run)
        )
    return list(judges.values())


def archives_of(run: Path) -> frozenset[str] | None:
    """Hashes of the archives that a run was trained on; None where it does not say."""
    try:
        return frozenset(trained_archives(run))
    except UserError:
        return None  # the report says that it is unknown
