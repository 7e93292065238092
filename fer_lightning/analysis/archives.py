"""What became of a source's images on their way into archives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fer_lightning.analysis.losses import Dependence, Rate, Shift, dependence, shift
from fer_lightning.data.archive import UNKNOWN, FaceArchive, read_table
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS

NO_FACE = "no_face"
"""The one reason for an exclusion that is the detector's doing."""

WHOLE_IMAGE = "whole_image"
"""The detector that takes every image for a face."""

STAND_IN = 0.0
"""Score of what stands in for a face that was not found, where such images are kept."""

Image = tuple[str, str, int]
"""Which image of a source: the part of a combined corpus, or '', path and frame."""


@dataclass(frozen=True, kw_only=True)
class ClassCounts:
    """The images of one class.

    Attributes:
        source: In the source.
        archive: Faces in the archive.
        found: Images in which the detector found a face.
        lost: Images in which it found none, whether they were dropped or kept without a face.
        excluded: Images that no detector saw, by reason (``missing``, ``unreadable``, ...).
    """

    source: int = 0
    archive: int = 0
    found: int = 0
    lost: int = 0
    excluded: Counter[str] = field(default_factory=Counter)

    @property
    def decoded(self) -> int:
        """Images that the detector was given."""
        return self.found + self.lost

    @property
    def rate(self) -> Rate | None:
        """Share found of those decoded; None where there are none."""
        return Rate(self.found, self.decoded) if self.decoded else None

    def __add__(self, other: ClassCounts) -> ClassCounts:
        """Both classes together."""
        return ClassCounts(
            source=self.source + other.source,
            archive=self.archive + other.archive,
            found=self.found + other.found,
            lost=self.lost + other.lost,
            excluded=self.excluded + other.excluded,
        )


@dataclass(frozen=True)
class ArchiveFigures:
    """An archive with what can be said of it.

    Attributes:
        name: Short, for headings.
        archive: The archive itself.
    """

    name: str
    archive: FaceArchive

    @property
    def detector(self) -> Mapping[str, Any] | None:
        """Name and settings; None for faces that were generated."""
        found: Mapping[str, Any] | None = self.archive.manifest.get("detector")
        return found

    @property
    def searches(self) -> bool:
        """Whether a detector looked for faces, and did not take the images as they are."""
        return self.detector is not None and self.detector["name"] != WHOLE_IMAGE

    @cached_property
    def classes(self) -> dict[str, ClassCounts]:
        """Counts by class, in canonical order, unlabelled images last."""
        index = self.archive.table(["emotion", "score"]).to_pydict()
        stand_ins = Counter(
            emotion or UNKNOWN
            for emotion, score in zip(index["emotion"], index["score"], strict=True)
            if score == STAND_IN
        )
        counts = {}
        for name, written in self.archive.manifest["classes"].items():
            excluded = Counter(written["excluded"])
            dropped = excluded.pop(NO_FACE, 0)
            counts[name] = ClassCounts(
                source=written["source"],
                archive=written["archive"],
                found=written["archive"] - stand_ins[name] if self.detector else 0,
                lost=dropped + stand_ins[name],
                excluded=excluded,
            )
        return counts

    @property
    def labelled(self) -> dict[str, ClassCounts]:
        """The same without unlabelled images."""
        return {name: counts for name, counts in self.classes.items() if name != UNKNOWN}

    @property
    def total(self) -> ClassCounts:
        """All classes together, unlabelled images too."""
        return self.together(self.classes)

    def together(self, names: Iterable[str]) -> ClassCounts:
        """The images of several classes; one that is not there counts none."""
        return sum((self.classes.get(name, ClassCounts()) for name in names), ClassCounts())

    @property
    def milliseconds(self) -> float | None:
        """Time in the detector for an image, in one process; None where it was not recorded."""
        cost = self.archive.manifest.get("detection")
        return 1000 * float(cost["seconds"]) / int(cost["images"]) if cost else None

    @cached_property
    def dependence(self) -> Dependence | None:
        """Whether being found depends on the class; None where all or none are, or of one class."""
        counts = [c for c in self.labelled.values() if c.decoded]
        return dependence([c.decoded for c in counts], [c.lost for c in counts])

    @cached_property
    def shift(self) -> Shift | None:
        """How the labels moved; None where nothing is labelled."""
        counts = list(self.labelled.values())
        return shift(
            [c.source for c in counts],
            [c.archive for c in counts],
            [c.source - c.archive - c.excluded.total() for c in counts],
        )

    @property
    def images(self) -> Any:
        """Archives for which this is equal were made from the same images."""
        manifest = self.archive.manifest
        if self.detector is None or "source" not in manifest:
            return self.archive.key
        return [manifest.get(key) for key in ("corpus", "settings", "source")]

    @cached_property
    def boxes(self) -> dict[Image, NDArray[np.float64] | None]:
        """Box found in each image that the detector was given, None where it found no face."""
        table = self.archive.table()
        found: dict[Image, NDArray[np.float64] | None] = {
            image: None if score == STAND_IN else np.array(box)
            for image, box, score in zip(
                _images(table),
                self.archive.column("box"),
                self.archive.column("score"),
                strict=True,
            )
        }
        excluded = read_table(self.archive.path / "excluded.parquet")
        reasons = excluded.column("reason").to_pylist()
        lost = (
            i for i, reason in zip(_images(excluded), reasons, strict=True) if reason == NO_FACE
        )
        return {**dict.fromkeys(lost), **found}


def _images(table: pa.Table) -> list[Image]:
    columns = table.select(["path", "frame"]).to_pydict()
    with_source = "source" in table.column_names
    sources = table.column("source").to_pylist() if with_source else [None] * len(table)
    parts = zip(sources, columns["path"], columns["frame"], strict=True)
    return [(source or "", path, frame or 0) for source, path, frame in parts]


def figures(archives: Sequence[FaceArchive]) -> list[ArchiveFigures]:
    """Archives with short names: the shortest kind that tells all of them apart.

    That is the detector's, with the corpus's where there are several, or the folder's, or its path;
    generated ones go by their folders.

    Raises:
        UserError: If an archive is there twice.
    """
    places = [archive.path.resolve() for archive in archives]
    for archive, place in zip(archives, places, strict=True):
        if places.count(place) > 1:
            raise UserError(f"archives: {archive.path} is there twice; give every archive once")
    prepared = [a.manifest for a in archives if a.manifest.get("detector")]
    several = len({manifest.get("corpus") for manifest in prepared}) > 1
    detectors = []
    for archive, place in zip(archives, places, strict=True):
        detector = archive.manifest.get("detector")
        prefix = f"{archive.manifest.get('corpus')}-" if several else ""
        detectors.append(f"{prefix}{detector['name']}" if detector else place.name)
    choices = (detectors, [place.name for place in places], [str(a.path) for a in archives])
    names = next((names for names in choices if len(set(names)) == len(names)), choices[-1])
    return [ArchiveFigures(name, archive) for name, archive in zip(names, archives, strict=True)]


def class_names(compared: Iterable[ArchiveFigures]) -> list[str]:
    """Classes that any archive has, in canonical order, unlabelled images last."""
    present = {name for one in compared for name in one.classes}
    return [name for name in (*EMOTIONS, UNKNOWN) if name in present]


def label_shares(compared: Iterable[ArchiveFigures]) -> list[tuple[str, dict[str, float]]]:
    """Headings and the share of each class among labelled images, of sources and of archives.

    That of a source stands once, before the first archive made from it.
    """
    labelled = [one for one in compared if one.labelled]
    before = [
        _shares({name: c.source for name, c in one.labelled.items()}) if one.detector else None
        for one in labelled
    ]
    distinct = [shares for i, shares in enumerate(before) if shares and shares not in before[:i]]
    columns: list[tuple[str, dict[str, float]]] = []
    for i, one in enumerate(labelled):
        source = before[i]
        if source and source not in before[:i]:
            columns.append((f"source of {one.name}" if len(distinct) > 1 else "source", source))
        columns.append((one.name, _shares({name: c.archive for name, c in one.labelled.items()})))
    return columns


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    return {name: count / max(1, sum(counts.values())) for name, count in counts.items()}


def archive_rows(compared: Sequence[ArchiveFigures]) -> list[dict[str, Any]]:
    """One row an archive; numbers are not rounded, what is absent is empty."""
    return [_row(one, class_names(compared)) for one in compared]


def _row(one: ArchiveFigures, classes: Sequence[str]) -> dict[str, Any]:
    manifest, total, test, moved = one.archive.manifest, one.total, one.dependence, one.shift
    row: dict[str, Any] = {
        "name": one.name,
        "path": str(one.archive.path),
        "key": one.archive.key,
        "corpus": manifest.get("corpus"),
        "detector": one.detector and one.detector["name"],
        "image_size": manifest["image_size"],
        "milliseconds": one.milliseconds,
        "shift": moved and moved.distance,
        "shift_by_chance": moved and moved.by_chance,
        "chi2": test and test.statistic,
        "chi2_freedom": test and test.freedom,
        "chi2_p": test and test.p,
        **_count_columns("", total),
    }
    nothing = ClassCounts()
    for name in classes:
        row |= _count_columns(f"{name}_", one.classes.get(name, nothing))
    return row


def _count_columns(prefix: str, counts: ClassCounts) -> dict[str, Any]:
    rate = counts.rate
    low, high = rate.interval if rate else (None, None)
    named = {
        "source": counts.source,
        "excluded": counts.excluded.total(),
        "decoded": counts.decoded,
        "found": counts.found,
        "archive": counts.archive,
        "found_share": rate and rate.value,
        "found_share_low": low,
        "found_share_high": high,
    }
    return {prefix + name: value for name, value in named.items()}
