"""The data layer that every model shares: from a data block to loaders of batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.corpora.base import Corpus, SplitScheme
from fer_lightning.data.loader import FaceLoader, FaceStore
from fer_lightning.data.preparation import Recipe, prepare
from fer_lightning.data.soft_labels import soft_labels
from fer_lightning.data.splits import EVERY, Division, divide
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS, SPLITS
from fer_lightning.models.config import FaceFormat

PEOPLE = 2
"""Ends the seed of the people who are drawn, so that it is nothing else's."""


def archive_folder(key: str, path: Path) -> Path:
    """The folder of a given archive.

    Args:
        key: Where the user gave it.
        path: As given.

    Raises:
        UserError: If there is none.
    """
    place = path.expanduser()
    if not place.is_dir():
        raise UserError(
            f"{key}={path}: there is no such folder; give an archive of `fer prepare` or "
            "`fer generate`"
        )
    return place


class FaceDataModule(lightning.LightningDataModule):
    """Prepares the archive of a data block when it is missing, divides it and feeds it.

    Only rows with a known emotion are used, but for a model that needs no labels. Classes are
    those of the training part, in canonical order, or those of the model that is to be measured.

    Args:
        data: The data block.
        detector: The job's detector, for a block without its own.
        image_size: Side of the faces in pixels.
        channels: 1, 3, or None for what the corpus delivers.
        seed: Draws order and augmentation of training batches.
        classes: Those of a model that is measured on these faces, in its order, so that no
            training part is needed; None for training.
        labelled: Whether the model needs labels. Where it does not, all rows are used and there
            are no classes, unless all are of one emotion by ``data.only``, or by ``classes``.

    Attributes:
        emotions: Emotion of every row of all archives, None where unknown.
        own_rows: Rows of the main archive; those from this number on are of ``data.extra``.
        parts: Rows with any emotion of ``train``, ``val``, ``test`` and ``all``, whatever the
            classes; ``all`` also holds what an official split leaves out.
        division: Rows of a class, of ``train``, ``val`` and ``test``; without classes, of
            whatever emotion.
        labels: Class index of every row of all archives, -1 where it is of no class.
        people: Names of those whom ``data.people`` has drawn; None where it has not.
    """

    def __init__(
        self,
        data: Corpus,
        detector: DetectorConfig,
        image_size: int,
        channels: int | None,
        seed: int,
        classes: Sequence[str] | None = None,
        labelled: bool = True,
    ) -> None:
        super().__init__()
        self.data = data
        self.detector = detector
        self.image_size = image_size
        self.channels = channels
        self.seed = seed
        self.model_classes = classes
        self.labelled = labelled or len(data.only if classes is None else classes) == 1
        self.archives: list[FaceArchive] = []
        self.people: list[str] | None = None
        self._training: FaceLoader | None = None
        self._position: dict[str, Any] | None = None

    def prepare_data(self) -> None:
        """Prepare the archive where it is missing; one process does, the others wait for it."""
        if self.archives:
            return
        if self.data.archive is not None:
            main = self._open("data.archive", self.data.archive, self.channels)
        else:
            main = prepare(Recipe.of(self.data, self.detector, self.image_size, self.channels))
        extra = [self._open("data.extra", path, main.shape[3]) for path in self.data.extra]
        keys = [archive.key for archive in (main, *extra)]
        for path, archive in zip(self.data.extra, extra, strict=True):
            if keys.count(archive.key) > 1:
                raise UserError(f"data.extra: {path} holds the very faces of another archive")
        self.archives = [main, *extra]

    def _open(self, key: str, path: Path, wanted: int | None) -> FaceArchive:
        """Open a given archive and check that it fits; any channels will do for None."""
        archive = FaceArchive.open(archive_folder(key, path))
        _, size, _, channels = archive.shape
        for name, own, found in (
            ("image_size", self.image_size, size),
            ("channels", wanted, channels),
        ):
            if own not in (None, found):
                raise UserError(
                    f"{name}={own}, but {key}={path} holds faces of {found}: pass {name}={found}, "
                    "or make another archive"
                )
        return archive

    def setup(self, stage: str | None = None) -> None:
        """Divide the rows and number the classes."""
        self.prepare_data()
        self.divide()
        self.number(self.found_classes())
        if self.model_classes is None:
            self.check_batches()

    def divide(self) -> None:
        """Divide the rows that may be used, whatever the classes will be."""
        self.own_rows = len(self.archives[0])
        self.emotions = [
            emotion for archive in self.archives for emotion in archive.column("emotion")
        ]
        division = self._divide(self.emotions)
        everything = {**division, EVERY: np.arange(len(self.emotions))}
        usable = self._usable()
        if self.data.people is not None:
            usable &= self._of_drawn_people(self.data.people, division["train"], usable)
        self.parts = {name: rows[usable[rows]] for name, rows in everything.items()}

    def number(self, classes: Sequence[str]) -> None:
        """Number the classes and keep their rows alone, once :meth:`divide` was called.

        Args:
            classes: Emotions by class index; empty keeps all rows, where labels are not used.
        """
        self.classes = list(classes)
        number = {emotion: index for index, emotion in enumerate(self.classes)}
        self.labels = np.array([number.get(e, -1) if e else -1 for e in self.emotions], np.int64)
        parts = ((name, self.parts[name]) for name in SPLITS)
        self.division = {
            name: rows[self.labels[rows] >= 0] if self.labelled else rows for name, rows in parts
        }
        self.targets = None
        if self.data.soft_labels:
            self.targets = soft_labels(self.archives, self.labels, self.classes)

    def check_batches(self) -> None:
        """Refuse batches that the training part cannot fill.

        Raises:
            UserError: Names the key and the remedy.
        """
        if len(self.division["train"]) < self.data.batch_size:
            raise UserError(
                f"data.batch_size={self.data.batch_size} exceeds the "
                f"{len(self.division['train'])} training images: give a smaller one"
            )

    def _usable(self) -> NDArray[np.bool_]:
        """Which rows a model of this kind may see."""
        wanted, there = self.data.only, set(self.emotions) - {None}
        if missing := [name for name in wanted if name not in there]:
            known = ", ".join(name for name in EMOTIONS if name in there) or "none"
            raise UserError(
                f"data.only=[{','.join(wanted)}]: no image is of {missing[0]}; known are {known}"
            )
        if wanted:
            return np.array([emotion in wanted for emotion in self.emotions])
        return np.array([bool(emotion) or not self.labelled for emotion in self.emotions])

    def _of_drawn_people(
        self, count: int, training: NDArray[np.int64], usable: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which rows are of the people that are drawn, or of extra archives."""
        people = np.array([name or "" for name in self.archives[0].column("subject")])
        own = np.flatnonzero(usable[: self.own_rows])
        if unknown := int((people[own] == "").sum()):
            raise UserError(
                f"data.people={count} needs the person of every image, and {unknown:,} of "
                f"{len(own):,} are unknown; leave it out"
            )
        trained = np.intersect1d(own, training)
        names = np.unique(people[trained if len(trained) else own])
        if len(names) < count:
            raise UserError(f"data.people={count}: there are {len(names)} people; give no more")
        random = np.random.default_rng([self.seed, 0, 0, 0, PEOPLE])
        self.people = sorted(map(str, random.choice(names, count, replace=False)))
        kept = np.ones(len(usable), bool)
        kept[: self.own_rows] = np.isin(people, self.people)
        return kept

    def found_classes(self) -> list[str]:
        """The model's classes, or those of the training part; none where labels are not used."""
        if self.model_classes is not None:
            return list(self.model_classes)
        if not self.labelled:
            if self.data.balance:
                raise UserError("data.balance=true: this model uses no labels; leave it out")
            return []
        present = {self.emotions[row] for row in self.parts["train"]}
        classes = [emotion for emotion in EMOTIONS if emotion in present]
        if not classes:
            raise UserError(
                f"no training image of data={self.data.name} has an emotion, and this model "
                "learns from labelled images; for data=table see data.columns.emotion"
            )
        return classes

    def _divide(self, emotions: Sequence[str | None]) -> Division:
        """The main archive by its scheme, extra rows to train; or all rows alike."""
        main, *extra = self.archives
        split, training = self.data.split, self.model_classes is None
        if self.data.extra_everywhere:
            unknown = [None] * len(emotions)
            pooled = replace(split, scheme=SplitScheme.stratified)
            return divide(pooled, emotions, unknown, unknown, training)
        sources = main.column("source") if "source" in main.columns else None
        own = (emotions[: len(main)], main.column("split"), main.column("subject"))
        division = divide(split, *own, training, sources)
        start = len(main)
        for archive in extra:
            # Extra rows are for training alone, so those that some corpus tests by stay out.
            usable = [part in (None, "train") for part in archive.column("split")]
            added = start + np.flatnonzero(usable)
            division["train"] = np.concatenate([division["train"], added])
            start += len(archive)
        return division

    def places(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number of the archive of each row, and its row in that; both (N,)."""
        starts = np.cumsum([0, *(len(archive) for archive in self.archives)])
        owners = np.searchsorted(starts, rows, side="right") - 1
        return owners, rows - starts[owners]

    @property
    def faces(self) -> FaceFormat:
        """What the data fixes about a model; known after :meth:`setup`."""
        _, size, _, channels = self.archives[0].shape
        frequencies = [1.0] * len(self.classes) if self.data.balance else self.class_counts
        return FaceFormat(
            image_size=size,
            channels=channels,
            classes=self.classes,
            frequencies=frequencies,
            counts=self.class_counts,
        )

    @property
    def class_counts(self) -> list[int]:
        """Training images of each class; known after :meth:`setup`."""
        trained = self.labels[self.division["train"]]
        return [int((trained == number).sum()) for number in range(len(self.classes))]

    def train_dataloader(self) -> FaceLoader:
        """Shuffled, augmented, full batches of the training part."""
        self._training = self._loader("train", training=True)
        if self._position is not None:
            self._training.load_state_dict(self._position)
        return self._training

    def state_dict(self) -> dict[str, Any]:
        """Where the training loader stands.

        Lightning keeps it, too, but does not give it back to a run that is resumed twice at the
        end of an epoch.
        """
        return {} if self._training is None else self._training.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the training loader go on from there."""
        self._position = dict(state_dict)

    def val_dataloader(self) -> FaceLoader:
        """The validation part in order."""
        return self._loader("val", training=False)

    def test_dataloader(self) -> FaceLoader:
        """The test part in order."""
        return self._loader("test", training=False)

    def _loader(self, split: str, training: bool) -> FaceLoader:
        rows = self.division[split]
        device, place = torch.device("cpu"), (0, 1)
        if self.trainer is not None:
            device = self.trainer.strategy.root_device
            # Ranks share training batches; what is measured, one measures whole.
            place = (self.trainer.global_rank, self.trainer.world_size) if training else place
        return FaceLoader(
            FaceStore(self.archives, device),
            rows,
            self.labels[rows],
            self.data.batch_size,
            self.seed,
            training,
            self.data.balance,
            self.data.augmentation,
            *place,
            targets=None if self.targets is None else self.targets[rows],
        )
