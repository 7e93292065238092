"""What a network was trained on of the faces that it is measured on, and of the people on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError
from fer_lightning.registry import corpora

DRAWN = "drawn"
"""The corpus whose people and pictures follow its settings, whatever they are called."""

LOOKS = ("count", "picture_size", "gray")
"""Settings of drawn pictures that leave a picture what it is."""


@dataclass(frozen=True)
class _Origin:
    """Where rows of one archive are from; of a combined one, those of one part.

    Attributes:
        key: Of the archive.
        source: Fingerprint of what the archive was made from; None where it does not say.
        part: Name of the part; None where there are none.
        settings: The corpus by name, and its own keys.
    """

    key: str
    source: str | None
    part: str | None
    settings: Mapping[str, Any]

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return str(self.settings["corpus"])

    @property
    def namer(self) -> tuple[str, int | None]:
        """Within what a person's name is of one person alone."""
        return self.corpus, self.settings.get("seed") if self.corpus == DRAWN else None

    @property
    def picture(self) -> Mapping[str, Any]:
        """What a drawn picture follows from, beside its number."""
        return {key: value for key, value in self.settings.items() if key not in LOOKS}

    def names_as(self, other: _Origin) -> bool | None:
        """Whether paths and people are called as there; None where that is unknown."""
        ours, theirs = _published(self.corpus), _published(other.corpus)
        if ours is not None and theirs is not None:  # FER+ has the images of FER-2013
            return issubclass(ours, theirs) or issubclass(theirs, ours)
        if self.corpus != other.corpus:
            return False
        if self.corpus == DRAWN:
            return self.namer == other.namer
        return self.part == other.part if self.is_as_well(other) else None

    def is_as_well(self, other: _Origin) -> bool:
        """Whether both archives were made from the very same files."""
        return self.key == other.key or (self.source is not None and self.source == other.source)


@dataclass(frozen=True)
class _Rows:
    """Some rows of one origin.

    Attributes:
        origin: Where they are from.
        positions: Places among all rows that were asked for, (n,).
        rows: Their rows in the archive, (n,).
        images: Path and frame of each.
        people: Names; None among them where one is unknown.
    """

    origin: _Origin
    positions: NDArray[np.int64]
    rows: NDArray[np.int64]
    images: list[tuple[str, int]]
    people: set[str | None]

    def same_images(self, other: _Rows) -> list[bool] | None:
        """Which are among those of the other, that names them alike; None where unknown."""
        if self.origin.key == other.origin.key:
            same: list[bool] = np.isin(self.rows, other.rows).tolist()
            return same
        if self.origin.corpus == DRAWN and self.origin.picture != other.origin.picture:
            return [False] * len(self.images)
        theirs = set(other.images)
        found = [image in theirs for image in self.images]
        # Copies of one dataset whose files lie otherwise would have no path in common.
        certain = self.origin.corpus == DRAWN or self.origin.is_as_well(other.origin)
        return found if certain or any(found) else None

    def same_people(self, other: _Rows) -> set[str] | None:
        """Who are among those of the other, that names them alike; None where unknown."""
        found = {name for name in self.people & other.people if name is not None}
        return None if not found and None in self.people | other.people else found


def exposure(
    faces: FaceDataModule,
    rows: NDArray[np.int64],
    trained_on: FaceDataModule | None,
    trained: NDArray[np.int64] | None = None,
) -> dict[str, int | None]:
    """How many of some faces, and of the people on them, were trained on.

    Archives need not be the same: one corpus may be cut at other sizes, by other detectors, in
    other colours, or be a part of a combined one. Images are the same by their row in one archive,
    else by path and frame; people by the names that the corpus gives them. Drawn people are the
    same by name and ``data.seed``; so are drawn pictures by number, where no setting but their
    count, size or colour differs. Two published datasets, one of which is made of the other's
    images, count as one; any other two have nothing in common.

    Args:
        faces: The data that is measured.
        rows: Rows of it, (N,).
        trained_on: The data of the training; None where it is not to be had.
        trained: Rows of that, (M,); None for its training part.

    Returns:
        ``seen``, the images, and ``people_seen``. Where nothing was found, and something could not
        be compared, None; so a number is the least that is certain.
    """
    images: NDArray[np.bool_] = np.zeros(len(rows), np.bool_)
    people: set[tuple[tuple[str, int | None], str]] = set()
    doubts = {"seen": trained_on is None, "people_seen": trained_on is None}
    if trained_on is not None:
        learnt = trained_on.division["train"] if trained is None else trained
        others = list(_by_origin(trained_on, learnt))
        for own in _by_origin(faces, rows):
            for other in others:
                alike = own.origin.names_as(other.origin)
                if alike is False:
                    continue
                same = own.same_images(other) if alike else None
                who = own.same_people(other) if alike else None
                doubts["seen"] |= same is None
                doubts["people_seen"] |= who is None
                images[own.positions] |= np.array(same or [False])
                people |= {(own.origin.namer, name) for name in who or ()}
    found = {"seen": int(images.sum()), "people_seen": len(people)}
    return {name: None if doubts[name] and not count else count for name, count in found.items()}


def training_record(
    faces: FaceDataModule, rows: NDArray[np.int64], trained_on: FaceDataModule | None
) -> dict[str, Any] | None:
    """What a protocol says of a model's training: which faces, and :func:`exposure`.

    Args:
        faces: The data that is measured.
        rows: Rows of it.
        trained_on: The data of the training; None where it is not to be had, which gives None.
    """
    if trained_on is None:
        return None
    return {
        "archives": [archive.key for archive in trained_on.archives],
        "rows": digest(trained_on.division["train"].tolist()),
        **exposure(faces, rows, trained_on),
    }


def _by_origin(faces: FaceDataModule, rows: NDArray[np.int64]) -> Iterator[_Rows]:
    owners, inside = faces.places(rows)
    for number in np.unique(owners):
        archive = faces.archives[number]
        here = np.flatnonzero(owners == number)
        wanted = ["path", "frame", "subject", *({"source"} & {*archive.columns})]
        table = archive.table(wanted).take(inside[here])
        columns = {name: table.column(name).to_pylist() for name in table.column_names}
        parts = np.array(columns.get("source", [None] * len(here)), dtype=object)
        for part in dict.fromkeys(parts.tolist()):
            chosen = np.flatnonzero(parts == part)
            names = {columns["subject"][n] for n in chosen}
            prefix = "" if part is None else f"{part}/"
            yield _Rows(
                _origin(archive.manifest, part),
                here[chosen],
                inside[here[chosen]],
                [(columns["path"][n], columns["frame"][n]) for n in chosen],
                {name and name.removeprefix(prefix) for name in names},
            )


def _origin(manifest: Mapping[str, Any], part: str | None) -> _Origin:
    settings = manifest.get("settings", {})
    whole = {**settings, "corpus": manifest["corpus"]}
    own = whole if part is None else settings.get("parts", {}).get(part, whole)
    return _Origin(manifest["key"], manifest.get("source"), part, own)


def _published(corpus: str) -> type[Any] | None:
    """The class of a published dataset, whose names are the same wherever it lies."""
    try:
        found: type[Any] = corpora.load(corpus)
    except UserError:
        return None  # made by a job or by a plugin that is not there
    return None if found.facts is None else found
