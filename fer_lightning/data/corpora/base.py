"""What every corpus has: its place in the configuration, and the index that it is read into.

A corpus is a configuration dataclass that can read itself: subclasses add the keys of their
layout and implement :meth:`Corpus.rows` and, unless their images are files,
:meth:`Corpus.load`. This module imports neither torch nor pyarrow, so that a job's
configuration is checked before anything heavy is loaded.
"""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.plain import LATER, identity
from fer_lightning.data.fingerprint import digest, fingerprint
from fer_lightning.data.images import UnusableImage, read_image
from fer_lightning.data.video import VideoConfig, is_video, read_frame, video_facts
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source image and what its corpus says of it.

    Attributes:
        path: The image's path relative to the corpus root, with forward slashes, or a name of
            the corpus's own where the image is not a file (``fer2013.csv``, ``drawn``).
        frame: Number of the image within ``path`` where that holds several, else 0.
        emotion: Canonical name, or None where unknown.
        split: ``train``, ``val`` or ``test`` where the corpus defines an official split.
        subject: Identity of the person, unique within the corpus, or None where unknown.
        intensity: Intensity of the expression in [0, 1], or None where unknown.
        action_units: FACS number to intensity (0 absent; a corpus states its scale).
        time: Seconds from the start of the video that the image is a frame of, or None.
        votes: Share of the raters for each canonical emotion, or None where unknown.
        source: The part of a combined corpus that the image comes from, or None.
        unusable: Why the corpus itself leaves the image out (``misnamed``, ``no_emotion``, ...);
            it is counted among the excluded and not decoded. None for an image to use.
    """

    path: str
    frame: int = 0
    emotion: str | None = None
    split: str | None = None
    subject: str | None = None
    intensity: float | None = None
    action_units: dict[int, float] = field(default_factory=dict)
    time: float | None = None
    votes: dict[str, float] | None = None
    source: str | None = None
    unusable: str | None = None


def images_of(root: Path, path: str, video: VideoConfig) -> list[SourceRow]:
    """Rows without labels for a file: one, or one for each chosen frame of a video.

    A frame's time is its number by the average frame rate. A video that cannot be read is a row
    with the reason.

    Args:
        root: Where ``path`` starts.
        path: The file, with forward slashes.
        video: Which frames are chosen.
    """
    if not is_video(Path(path)):
        return [SourceRow(path=path)]
    try:
        facts = video_facts(root / path)
    except UnusableImage as error:
        return [SourceRow(path=path, unusable=error.reason)]
    return [
        SourceRow(path=path, frame=number, time=round(number / facts.rate, 6))
        for number in video.chosen(facts.frames, facts.rate)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a published dataset holds, and on which terms, for ``fer corpora``.

    Attributes:
        title: Its name in the literature.
        images: Images or frames, in words where it depends (``593 sequences``).
        emotions: How many of the canonical emotions it labels, or in words.
        action_units: What it says of action units; empty for nothing.
        subjects: People in it; None where unknown.
        terms: On which terms it may be used, in a few words.
        source: Where to ask for it, an address.
    """

    title: str
    images: str
    emotions: str
    action_units: str = ""
    subjects: int | None = None
    terms: str
    source: str


class SplitScheme(enum.Enum):
    """How the rows of an archive are divided."""

    auto = "auto"
    official = "official"
    stratified = "stratified"
    subject = "subject"
    kfold = "kfold"
    subject_kfold = "subject_kfold"


@dataclass(kw_only=True)
class SplitConfig:
    """Division into train, val and test; see :mod:`fer_lightning.data.splits`.

    Attributes:
        scheme: ``official`` (the corpus's own), ``stratified`` (by emotion), ``subject`` (no
            person in two parts), ``kfold`` (stratified), ``subject_kfold``, or ``auto``:
            ``official`` where the archive has such a split, else ``stratified``.
        val: Fraction of the rows for validation (not used by ``official`` where the corpus has
            one, nor by the folds).
        test: Fraction of the rows for testing, likewise.
        folds: Number of folds.
        fold: The fold that is tested, counted from 0; the next one validates.
        seed: Draws the division. It is not the run's seed: runs over seeds share one division.
    """

    scheme: SplitScheme = SplitScheme.auto
    val: float = 0.1
    test: float = 0.1
    folds: int = 10
    fold: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.val >= 0 and self.test >= 0 and self.val + self.test < 1):
            raise UserError(
                f"data.split.val={self.val}, data.split.test={self.test}: give fractions whose "
                "sum is under 1"
            )
        if self.folds < 3:
            raise UserError(f"data.split.folds={self.folds}: give at least 3 (train, val, test)")
        if self.seed < 0:
            raise UserError(f"data.split.seed={self.seed}: give 0 or more")
        if not 0 <= self.fold < self.folds:
            raise UserError(f"data.split.fold={self.fold}: give 0 to {self.folds - 1}")


@dataclass(kw_only=True)
class AugmentationConfig:
    """Random changes to a training batch; all off by default.

    Attributes:
        flip: Mirror half of the images.
        rotation: Largest rotation to either side, in degrees.
        shift: Largest shift along each axis, as a fraction of the image's side.
        crop: Smallest side of a random square crop, as a share of the image's side; the crop is
            resized to the full side. 1 crops nothing.
        zoom_least: Smallest magnification about the image's centre, 1 or more.
        zoom_most: Largest magnification; 1 magnifies nothing.
        erasing: Probability that a random rectangle of 2 to 33 % of the image, its height 0.3 to
            3.3 times its width, is filled with uniform noise (Zhong et al. 2020, random erasing).
    """

    flip: bool = False
    rotation: float = 0.0
    shift: float = 0.0
    crop: float = field(default=1.0, metadata=LATER)
    erasing: float = field(default=0.0, metadata=LATER)
    zoom_least: float = field(default=1.0, metadata=LATER)
    zoom_most: float = field(default=1.0, metadata=LATER)

    def __post_init__(self) -> None:
        if not 0 <= self.rotation <= 180:
            raise UserError(f"data.augmentation.rotation={self.rotation}: give 0 to 180 degrees")
        if not 0 <= self.shift < 1:
            raise UserError(f"data.augmentation.shift={self.shift}: give a fraction in [0, 1)")
        if not 0 < self.crop <= 1:
            raise UserError(f"data.augmentation.crop={self.crop}: give a share in (0, 1]")
        if not 1 <= self.zoom_least <= self.zoom_most:
            raise UserError(
                f"data.augmentation.zoom_least={self.zoom_least}, "
                f"data.augmentation.zoom_most={self.zoom_most}: give a range from 1 on"
            )
        if not 0 <= self.erasing <= 1:
            raise UserError(f"data.augmentation.erasing={self.erasing}: give a probability, 0 to 1")


@dataclass(kw_only=True)
class Corpus:
    """A data block: where faces come from and how they are fed.

    The keys below belong to every block. Those that a subclass adds describe the source and
    enter the archive's hash; these here do not, but for :attr:`root`, which is represented by
    the fingerprint of what it holds.

    Attributes:
        name: Name in the registry of corpora.
        root: Folder that holds the dataset as it was delivered.
        archive: A prepared archive to use instead of preparing one from :attr:`root`.
        extra: Archives whose rows are added to the training part. An emotion that only they have
            becomes a class like any other.
        extra_everywhere: Pool the rows of ``extra`` with the others before all are divided anew,
            by ``stratified``. Generated images then stand among the test images and copies of
            test images among those that the model trains on: paper B's leak, here to be
            diagnosed. What is measured on such a test part is not to be trusted.
        only: Emotions to use; empty uses all. Rows of others are in no part. All rows are divided
            first, so that a row is in the same part whatever is used.
        people: Use so many people alone, drawn by the run's seed among those of the training part;
            rows of others are in no part. None uses all. Rows of ``extra`` are used all the same.
        detector: The block's own detector; None takes the job's.
        split: Division into train, val and test.
        batch_size: Images in a batch, over all devices together.
        balance: Draw every class equally often while training.
        augmentation: Random changes to training batches.
        soft_labels: Give the raters' shares of the classes with every batch, for models that learn
            from them; the archive needs votes, such as those of FER+.
    """

    facts: ClassVar[Facts | None] = None
    """What the published dataset is; None for a layout of one's own."""
    remark: ClassVar[str] = ""
    """What has to be said with every result on this corpus; empty for nothing."""
    crops: ClassVar[bool] = False
    """Whether its images are faces that somebody has cut out, to be taken whole. At ``data`` its
    YAML says so to the job; a block that stands elsewhere says so for itself alone."""

    name: str = ""
    root: Path | None = None
    archive: Path | None = None
    extra: list[Path] = field(default_factory=list)
    extra_everywhere: bool = field(default=False, metadata=LATER)
    only: list[str] = field(default_factory=list, metadata=LATER)
    people: int | None = field(default=None, metadata=LATER)
    detector: DetectorConfig | None = None
    split: SplitConfig = field(default_factory=SplitConfig)
    batch_size: int = 64
    balance: bool = False
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    soft_labels: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise UserError(f"data.batch_size={self.batch_size}: give at least 1")
        unknown = [name for name in self.only if name not in EMOTIONS]
        if unknown:
            raise UserError(
                f"data.only=[{','.join(self.only)}]: there is no {unknown[0]!r}; choose from "
                f"{', '.join(EMOTIONS)}"
            )
        self.only = [name for name in EMOTIONS if name in self.only]
        if self.people is not None and self.people < 1:
            raise UserError(f"data.people={self.people}: give at least 1, or null for all")
        scheme = self.split.scheme
        if self.extra_everywhere and not self.extra:
            raise UserError("data.extra_everywhere=true needs data.extra=[ARCHIVE]")
        if self.extra_everywhere and scheme not in (SplitScheme.auto, SplitScheme.stratified):
            raise UserError(
                f"data.split.scheme={scheme.name}: data.extra_everywhere=true divides all rows "
                "anew; pass data.split.scheme=stratified"
            )

    def keep_crops(self) -> None:
        """Take crops whole, for a block elsewhere than at ``data``: no YAML says so to the job."""
        if self.crops and self.detector is None:
            self.detector = WholeImageConfig()

    @property
    def native_channels(self) -> int:
        """Channels of the delivered images: 1 for gray corpora, else 3."""
        return 3

    @abstractmethod
    def rows(self) -> Sequence[SourceRow]:
        """Read the dataset's layout into rows, in an order that depends on its content alone.

        Raises:
            UserError: If the folder does not hold the dataset; says what was looked for and
                what was found.
        """

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """Every file that decides the archive's content, for the source fingerprint.

        The images of ``rows`` by default; a corpus adds its annotation files. Missing files may
        be among them.
        """
        folder = self.folder
        return [folder / path for path in sorted({row.path for row in rows})]

    def fingerprint(self, rows: Sequence[SourceRow], cache: Path) -> str:
        """Hash of all files that decide the archive's content, equal on every machine.

        Args:
            rows: What :meth:`rows` gave.
            cache: Folder in which results are remembered.
        """
        files = self.files(rows)
        found = fingerprint(files, self.folder, cache) if files else digest(len(rows))
        # Archives from before videos were read hold none of their frames.
        return digest([found, "frames"]) if any(row.time is not None for row in rows) else found

    def remarks(self) -> list[str]:
        """What has to be said with every result; stands in the archive's manifest."""
        return [self.remark] if self.remark else []

    def load(self, row: SourceRow) -> NDArray[np.uint8]:
        """Decode one image, or one frame of a video; runs in worker processes.

        Returns:
            RGB of shape (H, W, 3), upright by the file's orientation tag.

        Raises:
            UnusableImage: If the file is ``missing`` or ``unreadable`` (corrupt, empty,
                truncated, not an image).
        """
        path = self.folder / row.path
        return read_frame(path, row.frame) if is_video(path) else read_image(path)

    @property
    def folder(self) -> Path:
        """The dataset's root, checked to be a folder.

        Raises:
            UserError: If the root is not given or is not a folder.
        """
        if self.root is None:
            raise UserError(f"data={self.name} needs data.root=DIR, the folder of the dataset")
        root = self.root.expanduser()
        if not root.is_dir():
            raise UserError(f"data.root={root}: there is no such folder")
        return root

    def source_settings(self) -> dict[str, Any]:
        """The subclass's own keys, without paths: with the files, they decide the archive."""
        shared = {f.name for f in fields(Corpus)}
        return {key: value for key, value in identity(self).items() if key not in shared}
