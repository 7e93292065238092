"""The data layer of models that translate: two data blocks, with the classes that both know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray

from fer_lightning.config.compose import told_in_place
from fer_lightning.config.domains import DomainsConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.data.pairs import PairLoader
from fer_lightning.data.splits import Division
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat

if TYPE_CHECKING:
    from fer_lightning.config.schema import TrainConfig

Exclusions = dict[str, dict[str, dict[str, Any]]]
"""By domain and emotion the training ``images`` that are left out, and the ``reason``."""


class DomainDataModule(lightning.LightningDataModule):
    """Feeds pairs of faces: of a source domain, and of a target domain with the same labels.

    Classes are the emotions that the training parts of both domains have, and the classifier
    where there is one, by name and in canonical order. Rows are counted over the source's
    archives, then the target's, one after the other.

    Args:
        domains: The two data blocks.
        detector: The job's detector, for a block without its own.
        image_size: Side of the faces in pixels.
        channels: 1, 3, or None for those of a given archive, else 3 unless both corpora are gray.
        seed: Draws order, partners, augmentation and the people of ``people``.
        known: Emotions that the classifier knows; None where there is none.

    Attributes:
        source: Faces to translate.
        target: Faces of the domain that they are carried into.
        archives: Those of the source, then those of the target; known after :meth:`prepare_data`.
        classes: Emotions by class index; known after :meth:`setup`, as all below.
        exclusions: What else the training parts hold: for each domain and emotion the number of
            ``images`` and the ``reason``.
    """

    def __init__(
        self,
        domains: DomainsConfig,
        detector: DetectorConfig,
        image_size: int,
        channels: int | None,
        seed: int,
        known: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.domains = domains
        self.channels = channels
        self.seed = seed
        self.known = known
        self.source, self.target = (
            FaceDataModule(block, detector, image_size, channels, seed)
            for _, block in domains.places()
        )
        self._training: PairLoader | None = None
        self._position: dict[str, Any] | None = None

    @property
    def archives(self) -> list[FaceArchive]:
        """Those of the source, then those of the target."""
        return [*self.source.archives, *self.target.archives]

    def prepare_data(self) -> None:
        """Prepare the archives that are missing, both with the same number of channels."""
        wanted = self.channels
        blocks = [block for _, block in self.domains.places()]
        if wanted is None and all(block.archive is None for block in blocks):
            wanted = max(block.native_channels for block in blocks)
        # A given archive has the channels that it has, so the other domain follows it.
        for place, faces in sorted(self._both(), key=lambda pair: pair[1].data.archive is None):
            with told_in_place(place, faces.data):
                faces.channels = wanted
                faces.prepare_data()
            wanted = faces.archives[0].shape[3]

    def setup(self, stage: str | None = None) -> None:
        """Divide both domains and number the classes that they share.

        Raises:
            UserError: If they share none, or the source fills no batch.
        """
        self.prepare_data()
        found = {}
        for place, faces in self._both():
            with told_in_place(place, faces.data):
                faces.divide()
                found[place] = faces.found_classes()
        self.classes = self._shared(found)
        for _, faces in self._both():
            faces.number(self.classes)
        self.exclusions = self._excluded(found)
        with told_in_place("domains.source", self.source.data):
            self.source.check_batches()

    def _both(self) -> Iterator[tuple[str, FaceDataModule]]:
        yield "domains.source", self.source
        yield "domains.target", self.target

    def _shared(self, found: Mapping[str, Sequence[str]]) -> list[str]:
        named: dict[str, Sequence[str]] = dict(found)
        if self.known is not None:
            named["model.classifier"] = self.known
        shared = [name for name in EMOTIONS if all(name in those for those in named.values())]
        if not shared:
            held = "; ".join(f"{place} has {', '.join(those)}" for place, those in named.items())
            raise UserError(f"there is no emotion that all know: {held}; choose other faces")
        return shared

    def _excluded(self, found: Mapping[str, Sequence[str]]) -> Exclusions:
        excluded: Exclusions = {}
        other = {"domains.source": "domains.target", "domains.target": "domains.source"}
        for place, faces in self._both():
            counts = Counter(faces.emotions[row] for row in faces.parts["train"])
            excluded[place.rpartition(".")[2]] = {
                emotion: {
                    "images": counts[emotion],
                    "reason": f"not in {other[place]}"
                    if emotion not in found[other[place]]
                    else "not known to model.classifier",
                }
                for emotion in found[place]
                if emotion not in self.classes
            }
        return excluded

    def summary(self) -> str:
        """One line: the classes, and what is left out of both domains and why."""
        left_out = [
            f"{each['images']:,} {place} images of {emotion} ({each['reason']})"
            for place, emotions in self.exclusions.items()
            for emotion, each in emotions.items()
        ]
        text = f"classes of both domains: {', '.join(self.classes)}"
        return f"{text}; left out: {', '.join(left_out)}" if left_out else text

    @property
    def emotions(self) -> list[str | None]:
        """Emotion of every row, None where unknown."""
        return [*self.source.emotions, *self.target.emotions]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class index of every row, -1 where it is of no class."""
        return np.concatenate([self.source.labels, self.target.labels])

    @property
    def parts(self) -> Division:
        """Rows with any emotion of ``train``, ``val``, ``test`` and ``all``."""
        return self._joined(self.source.parts, self.target.parts)

    @property
    def division(self) -> Division:
        """Rows of a class of ``train``, ``val`` and ``test``."""
        return self._joined(self.source.division, self.target.division)

    def _joined(self, source: Division, target: Division) -> Division:
        start = len(self.source.emotions)
        return {name: np.concatenate([source[name], start + target[name]]) for name in source}

    @property
    def faces(self) -> FaceFormat:
        """What the data fixes about a model; counts are the source's, whose epochs they are."""
        return self.source.faces

    @property
    def class_counts(self) -> list[int]:
        """Training images of each class in the source domain."""
        return self.source.class_counts

    @property
    def people(self) -> dict[str, list[str]]:
        """Whom ``people`` has drawn, by the domain's name where it has."""
        both = {"source": self.source.people, "target": self.target.people}
        return {name: people for name, people in both.items() if people is not None}

    def train_dataloader(self) -> PairLoader:
        """Shuffled, augmented, full batches of pairs of the training parts."""
        device, place = torch.device("cpu"), (0, 1)
        if self.trainer is not None:
            device = self.trainer.strategy.root_device
            place = (self.trainer.global_rank, self.trainer.world_size)
        source, target = self.source.division["train"], self.target.division["train"]
        self._training = PairLoader(
            FaceStore(self.source.archives, device),
            source,
            self.source.labels[source],
            FaceStore(self.target.archives, device),
            target,
            self.target.labels[target],
            self.source.data.batch_size,
            self.seed,
            self.source.data.balance,
            self.source.data.augmentation,
            self.target.data.augmentation,
            *place,
        )
        if self._position is not None:
            self._training.load_state_dict(self._position)
        return self._training

    def state_dict(self) -> dict[str, Any]:
        """Where the training loader stands."""
        return {} if self._training is None else self._training.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the training loader go on from there."""
        self._position = dict(state_dict)


def data_of(
    config: TrainConfig, known: Sequence[str] | None = None
) -> FaceDataModule | DomainDataModule:
    """The data of a training, of one domain or of two; not set up yet.

    Args:
        config: The training's.
        known: Emotions that the frozen classifier knows; None where there is none.
    """
    shape = (config.detector, config.image_size, config.channels, config.seed)
    if config.domains is not None:
        return DomainDataModule(config.domains, *shape, known=known)
    return FaceDataModule(config.data, *shape, labelled=config.model.labelled)
