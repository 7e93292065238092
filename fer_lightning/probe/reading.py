"""Reads what a probe needs of its faces: rows, people, emotions and action units."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fer_lightning.config.compose import told_in_place
from fer_lightning.config.probe import ProbeConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.data.datamodule import FaceDataModule, archive_folder
from fer_lightning.errors import UserError
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.labels import EMOTIONS, PAPER_D_ACTION_UNITS, units_of_emotion
from fer_lightning.metrics.extraction import real_vectors

IMAGE_SIZE = 64
"""Side of the crops for features that were not trained on faces of a size, as in paper D."""


@dataclass(frozen=True)
class ProbeSet:
    """Faces that a classifier is fitted to or tested on.

    Attributes:
        place: Key of the data block, ``fit`` or ``test``.
        split: Part of it.
        faces: The data, set up.
        rows: Row numbers over its archives one after the other, (N,).
        labels: Emotion of each, its number in :data:`EMOTIONS` or -1 where unknown, (N,).
        subjects: Person of each, empty where unknown, (N,).
        present: For each and each of paper D's fourteen action units 1, 0 or -1 (unknown), (N, 14).
        relabelled: Whether the units of some rows were told from their emotions.
    """

    place: str
    split: str
    faces: FaceDataModule
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    subjects: NDArray[np.str_]
    present: NDArray[np.int64]
    relabelled: bool

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: NDArray[np.bool_]) -> ProbeSet:
        """Some of the rows."""
        return replace(
            self,
            rows=self.rows[kept],
            labels=self.labels[kept],
            subjects=self.subjects[kept],
            present=self.present[kept],
        )

    @property
    def corpus(self) -> str:
        """Name of the corpus that the faces are of."""
        return str(self.faces.archives[0].manifest["corpus"])

    @property
    def keys(self) -> list[str]:
        """Hashes of the archives."""
        return [archive.key for archive in self.faces.archives]

    @property
    def subjects_unknown(self) -> int:
        """Rows of which nobody says who is on them."""
        return int((self.subjects == "").sum())


def read_faces(config: ProbeConfig, network: FeatureNetwork) -> tuple[ProbeSet, ProbeSet | None]:
    """The faces to fit to, and other faces to test on where there are some.

    Args:
        config: The job's.
        network: Gives the features; says of which size and colours faces are best.

    Raises:
        UserError: If faces are not to be had, or some would be both fitted and tested.
    """
    if config.test is not None:
        _check_source("test", config.test)
    fit = _read(config, "fit", config.fit, config.fit_split, network)
    if config.test is None:
        return fit, None
    test = _read(config, "test", config.test, config.test_split, network)
    both = len(_places(fit) & _places(test))
    if both:
        raise UserError(
            f"{both:,} images are to be both fitted and tested: leave data@test= out to test in "
            "folds, or choose parts by fit_split= and test_split="
        )
    return fit, test


def vectors_of(
    network: FeatureNetwork, chosen: ProbeSet, device: torch.device
) -> NDArray[np.float32]:
    """Features of the rows, (N, d); kept by the network's protocol and the archives.

    Args:
        network: On ``device``.
        chosen: The faces.
        device: Where to compute.
    """
    what = f"{len(chosen):,} images of {chosen.corpus}"
    with torch.no_grad():
        vectors = real_vectors(network, chosen.faces, chosen.rows, what, device)
    found: NDArray[np.float32] = vectors.cpu().numpy()
    return found


def shared_emotions(
    fit: ProbeSet, test: ProbeSet | None
) -> tuple[list[str], list[ProbeSet], dict[str, dict[str, int]]]:
    """The classes, labelled rows alone, and what was left out.

    Returns:
        Emotions that all sets have, in canonical order; the sets, whose labels count those; and
        for each set the rows left out, by emotion or ``unlabelled``.

    Raises:
        UserError: If there are fewer than two such emotions.
    """
    sets = [fit] if test is None else [fit, test]
    known = [set(np.unique(each.labels)) - {-1} for each in sets]
    shared = sorted(set.intersection(*known))
    classes = [EMOTIONS[number] for number in shared]
    if len(classes) < 2:
        held = " and ".join(
            f"{each.place} ({each.corpus}, {each.split}) has "
            + (", ".join(EMOTIONS[number] for number in sorted(found)) or "none")
            for each, found in zip(sets, known, strict=True)
        )
        raise UserError(
            f"task=emotion needs two emotions or more{' that both sets know' * bool(test)}: {held}"
        )
    numbers = np.full(len(EMOTIONS) + 1, -1)  # the last is that of unknown emotions, -1
    numbers[shared] = np.arange(len(shared))
    kept, left_out = [], {}
    for each in sets:
        labels = numbers[each.labels]
        names = [EMOTIONS[n] if n >= 0 else "unlabelled" for n in each.labels[labels < 0]]
        left_out[each.place] = dict(sorted(Counter(names).items()))
        kept.append(replace(each, labels=labels).only(labels >= 0))
    return classes, kept, left_out


def coded_units(
    fit: ProbeSet, test: ProbeSet | None
) -> tuple[list[ProbeSet], dict[str, dict[str, int]]]:
    """Rows of which at least one unit is known, and how many are left out.

    Raises:
        UserError: If a set has none.
    """
    kept, left_out = [], {}
    for each in [fit] if test is None else [fit, test]:
        known = np.asarray(each.present.max(axis=1) >= 0)
        if not known.any():
            raise UserError(
                f"task=au: no image of {each.place} ({each.corpus}, {each.split}) has action units "
                "or an emotion that they could be told from; choose other faces"
            )
        left_out[each.place] = {"uncoded": int((~known).sum())} if not known.all() else {}
        kept.append(each.only(known))
    return kept, left_out


def _read(
    config: ProbeConfig, place: str, block: Corpus, split: str, network: FeatureNetwork
) -> ProbeSet:
    with told_in_place(place, block):
        size, channels = _shape(config, block, network)
        faces = FaceDataModule(block, config.detector, size, channels, 0, [], labelled=False)
        faces.setup()
    rows = np.sort(faces.parts[split])
    if not len(rows):
        raise UserError(
            f"{place}_split={split}: {faces.archives[0].manifest['corpus']} has no such images; "
            f"{place}_split=all takes every one"
        )
    numbers = {emotion: number for number, emotion in enumerate(EMOTIONS)}
    labels = np.array([numbers.get(emotion or "", -1) for emotion in faces.emotions], np.int64)
    subjects = [name or "" for archive in faces.archives for name in archive.column("subject")]
    told = [_units(archive) for archive in faces.archives]
    return ProbeSet(
        place=place,
        split=split,
        faces=faces,
        rows=rows,
        labels=labels[rows],
        subjects=np.array(subjects)[rows],
        present=np.concatenate([present for present, _ in told])[rows],
        relabelled=any(relabelled for _, relabelled in told),
    )


def _check_source(place: str, block: Corpus) -> None:
    """Mistakes in a block are told before the faces of another are cut, which may take long."""
    with told_in_place(place, block):
        if block.archive is not None:
            archive_folder("data.archive", block.archive)
        else:
            block.rows()


def _shape(config: ProbeConfig, block: Corpus, network: FeatureNetwork) -> tuple[int, int | None]:
    """Size and channels of the crops: the user's, the archive's, or the network's."""
    size, channels = config.image_size, config.channels
    if block.archive is not None:
        _, own, _, colours = FaceArchive.open(archive_folder("data.archive", block.archive)).shape
        return size or own, channels or colours
    wanted: Any = network.faces or {"image_size": IMAGE_SIZE, "channels": None}
    return size or wanted["image_size"], channels or wanted["channels"]


def _units(archive: FaceArchive) -> tuple[NDArray[np.int64], bool]:
    """Paper D's units of every row of an archive, and whether emotions had to tell them."""
    coded = [unit for unit in PAPER_D_ACTION_UNITS if f"au_{unit}" in archive.columns]
    if not coded:
        found = [units_of_emotion(emotion) for emotion in archive.column("emotion")]
        return np.array(found, np.int64), True
    present = np.full((len(archive), len(PAPER_D_ACTION_UNITS)), -1, np.int64)
    for unit in coded:
        values = np.array(archive.column(f"au_{unit}"), np.float64)  # None becomes nan
        column = np.where(np.isnan(values), -1, values > 0)
        present[:, PAPER_D_ACTION_UNITS.index(unit)] = column
    return present, False


def _places(chosen: ProbeSet) -> set[tuple[str, int]]:
    """Archive and row of every face."""
    owners, rows = chosen.faces.places(chosen.rows)
    keys = chosen.keys
    return {(keys[owner], row) for owner, row in zip(owners.tolist(), rows.tolist(), strict=True)}
