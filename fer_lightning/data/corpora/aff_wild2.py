"""Aff-Wild2: videos, or the faces cut out of them, with an expression for every frame."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import contents, hidden, open_text, subfolders
from fer_lightning.data.corpora.named_files import twice
from fer_lightning.data.images import UnusableImage
from fer_lightning.data.video import VideoConfig, VideoFacts, is_video, video_facts
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_emotion, canonical_split
from fer_lightning.progress import progress_bar

CROPS = "cropped_aligned"
SIDES = ("_left", "_right")
"""What an annotation's name ends with that is of one of two people in a video."""


class Frames(enum.Enum):
    """Where the frames come from."""

    auto = "auto"
    videos = "videos"
    cropped_aligned = "cropped_aligned"


@dataclass(kw_only=True)
class AffWild2(Corpus):
    """Aff-Wild2's expressions: an emotion, or none, for each frame of a video.

    Anywhere below ``data.root`` lie

    - one folder of annotations, whose name begins with ``EXPR_``
      (``EXPR_Classification_Challenge``, ``EXPR_Recognition_Challenge``, ``EXPR_Set``), with
      ``Train_Set/`` or ``Training_Set/`` and ``Validation_Set/``, and in these a file
      ``<video>.txt``, ``<video>_left.txt`` or ``<video>_right.txt`` each. The first line names
      the codes (``Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other``), and labels are
      read by these names, whatever their order; then comes a code a frame. Frames of code -1, an
      empty line, or ``Other`` are excluded as ``no_emotion`` and not decoded.
    - and the videos (``batch1/<video>.mp4``, ...), or the faces cut out by the organisers,
      ``cropped_aligned/<video>[_left|_right]/00001.jpg`` (112 x 112, folders whose name begins
      so). The n-th code is of image n. Where no face was found there is no image, and the frame
      is excluded as ``missing``. Folders whose name begins with ``cropped`` are not searched for
      anything else.

    Where a video shows two people who are annotated one by one, nothing says whose face is
    whose in a whole frame: its frames are excluded as ``two_people``. The faces cut out are told
    apart by the organisers, and are used.

    ``subject`` is the video, which is the unit that Aff-Wild2 itself divides by; it may show
    several people. The test part's labels were not published. Neighbouring frames are nearly the
    same: ``data.video.every=10`` loses little.

    Attributes:
        frames: ``videos``, ``cropped_aligned``, or ``auto``: ``cropped_aligned`` where it is
            there.
        video: Which frames are taken: each n-th (``every``), or so many a second (``rate``, of
            videos alone, for of images the time is not known).
    """

    facts: ClassVar[Facts | None] = Facts(
        title="Aff-Wild2",
        images="594 videos of about 3 million frames; a part has expressions",
        emotions="7",
        terms="research by an agreement that permanent academic staff sign",
        source="https://sites.google.com/view/dimitrioskollias/databases/aff-wild2",
    )

    name: str = "aff_wild2"
    frames: Frames = Frames.auto
    video: VideoConfig = field(default_factory=VideoConfig)

    def rows(self) -> list[SourceRow]:
        """Read the annotations; rows are sorted by split, video and frame."""
        found = self._survey()
        crops = self.frames is Frames.cropped_aligned
        if self.frames is Frames.auto:
            crops = bool(found.crops)
        if crops and self.video.rate is not None:
            raise UserError(
                f"data.video.rate={self.video.rate}: the images of {CROPS}/ do not say their "
                "time; give data.video.every=N, or data.frames=videos"
            )
        if not (found.crops if crops else found.videos):
            raise UserError(
                f"data.frames={self.frames.name}: data.root={self.root} holds no "
                f"{f'folder {CROPS}/' if crops else 'videos'}; found {contents(self.folder)}"
            )
        read = self._from_crops if crops else self._from_video
        bar = progress_bar(found.files, desc=self.name, unit="file", leave=False, delay=1)
        rows = [row for split, file in bar for row in read(found, split, file)]
        if not rows:
            raise UserError(f"data.root: {found.annotations} holds no annotations of frames")
        return rows

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The videos or images that are used, and the annotations."""
        used = super().files(row for row in rows if not row.unusable)
        return sorted([*used, *(file for _, file in self._survey().files)])

    def _from_crops(self, found: _Survey, split: str, file: Path) -> Iterator[SourceRow]:
        place = next((f for f in found.crops if (f / file.stem).is_dir()), found.crops[0])
        start = (place / file.stem).relative_to(self.folder).as_posix()
        labels = _labels(file)
        video = _video_of(file.stem)
        for number in self.video.chosen(len(labels), 1.0):
            emotion = labels[number]
            yield SourceRow(
                path=f"{start}/{number + 1:05d}.jpg",
                emotion=emotion,
                split=split,
                subject=video,
                unusable=None if emotion else "no_emotion",
            )

    def _from_video(self, found: _Survey, split: str, file: Path) -> Iterator[SourceRow]:
        # A video's own name may end like one of two people.
        name = file.stem if file.stem in found.videos else _video_of(file.stem)
        others = {other.stem for _, other in found.files}
        two = name != file.stem or any(f"{name}{side}" in others for side in SIDES)
        path = found.videos.get(name, self.folder / f"{name}.mp4")
        facts = _facts(path)
        relative = path.relative_to(self.folder).as_posix()
        labels = _labels(file)
        for number in self.video.chosen(len(labels), facts.rate if facts else 1.0):
            emotion = labels[number]
            yield SourceRow(
                path=relative,
                frame=number,
                emotion=emotion,
                split=split,
                subject=name,
                time=number / facts.rate if facts else None,
                unusable=("two_people" if two else None) if emotion else "no_emotion",
            )

    def _survey(self) -> _Survey:
        """Find annotations, videos and cut faces in one walk that does not enter the latter."""
        found: list[Path] = []
        crops: list[Path] = []
        videos: dict[str, Path] = {}
        for place, folders, files in os.walk(self.folder, followlinks=True):
            below = {name: Path(place, name) for name in sorted(folders) if not hidden(name)}
            crops += [_unwrapped(f) for name, f in below.items() if name.startswith(CROPS)]
            found += [f for name, f in below.items() if name.upper().startswith("EXPR_")]
            folders[:] = [name for name in below if not name.startswith("cropped")]
            for name in sorted(files):
                path = Path(place, name)
                if is_video(path) and not hidden(name):
                    other = videos.setdefault(path.stem, path)
                    if other != path:
                        raise UserError(
                            f"data.root={self.root} holds the video {path.stem} twice: {other} "
                            f"and {path}; remove one"
                        )
        found = [folder for folder in found if any(_by_split(folder))]
        if len(found) > 1:
            two = [folder.relative_to(self.folder).as_posix() for folder in found[:2]]
            raise twice(self.folder, "Aff-Wild2's expressions", *two)
        if not found:
            raise UserError(
                f"data.root={self.root} holds no expressions; looked for one folder such as "
                "EXPR_Classification_Challenge/ with Train_Set/ or Validation_Set/ in it; found "
                f"{contents(self.folder)}"
            )
        texts = [(split, file) for split, folder in _by_split(found[0]) for file in _texts(folder)]
        return _Survey(found[0], texts, sorted(crops), videos)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What lies below the root.

    Attributes:
        annotations: The folder of annotations.
        files: Split and file of each.
        crops: Folders of cut faces.
        videos: Videos by name.
    """

    annotations: Path
    files: list[tuple[str, Path]]
    crops: list[Path]
    videos: dict[str, Path]


def _unwrapped(crops: Path) -> Path:
    inner = crops / crops.name
    return inner if inner.is_dir() else crops


def _by_split(annotations: Path) -> Iterator[tuple[str, Path]]:
    """Splits and folders below a folder of annotations, by name."""
    for folder in subfolders(annotations):
        split = canonical_split(folder.name.partition("_")[0])
        if split:
            yield split, folder


def _texts(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.txt") if not hidden(file.name))


def _video_of(annotation: str) -> str:
    for side in SIDES:
        annotation = annotation.removesuffix(side)
    return annotation


def _facts(video: Path) -> VideoFacts | None:
    try:
        return video_facts(video)
    except UnusableImage:  # its frames become rows all the same, and are counted as such
        return None


def _labels(file: Path) -> Sequence[str | None]:
    """The canonical emotion, or None, of each frame in order."""
    with open_text(file) as opened:
        lines = opened.read().rstrip().splitlines()
    if not lines:
        raise UserError(f"data.root: {file} is empty")
    meanings: dict[str, str | None] = {"-1": None, "": None}
    for code, word in enumerate(lines[0].split(",")):
        emotion = canonical_emotion(word)
        if emotion is None and word.strip().lower() != "other":
            raise UserError(
                f"data.root: {file}, line 1: {word!r} is no emotion; the first line names the "
                "codes, as in Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other"
            )
        meanings[str(code)] = emotion
    try:
        return [meanings[line.strip()] for line in lines[1:]]
    except KeyError:
        number = next(n for n, line in enumerate(lines[1:], 2) if line.strip() not in meanings)
        raise UserError(
            f"data.root: {file}, line {number}: {lines[number - 1]!r} is no code of its first "
            f"line, {lines[0]}"
        ) from None
