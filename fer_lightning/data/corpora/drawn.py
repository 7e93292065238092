"""The embedded corpus: faces drawn on demand, with exact labels and no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.plain import LATER
from fer_lightning.data.corpora.base import Corpus, SourceRow
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS

if TYPE_CHECKING:
    from fer_lightning.data.drawn import FaceParameters


@dataclass(kw_only=True)
class Drawn(Corpus):
    """Drawn faces, balanced over emotions and labelled with all that they were drawn from.

    Pictures are drawn from ``seed`` and their number alone: a larger ``count`` adds pictures and
    changes none. Each number takes the next emotion, and each round of emotions the next person.

    The intensity of a picture's expression is drawn from [``least_intensity``, 1]; neutral faces
    have 0. A sequence runs from 0 to that intensity in equal steps, under the label of its apex.
    Action units follow paper D, Table VI, each within 15 percent of the intensity.

    Attributes:
        count: Number of pictures; sequences that do not fit in full are left out.
        seed: Draws persons, poses, light, backgrounds and intensities.
        picture_size: Side of the source pictures in pixels; faces fill about half of it.
        subjects: Number of persons.
        frames: Pictures in a sequence from neutral to apex; 1 draws single pictures.
        emotions: Canonical names to draw; contempt can be added.
        pose: Share of the usual spread of yaw, pitch and roll, in [0, 2]; 0 draws frontal faces.
            Place, size and gaze vary as ever.
        light: Share of the usual spread of lamp, exposure, colour and grain around their middle,
            in [0, 1.5]; 0 draws one light for all.
        first_subject: Number of the first person: with 1000, S1000 and on, who are other people
            than S000 to S999. Poses, light and backgrounds follow the picture's number and
            ``seed`` alone; give another seed, too, where they are not to be shared.
        gray: Pictures without colour.
        least_intensity: Of an expression, in (0, 1].
    """

    name: str = "drawn"
    count: int = 2800
    seed: int = 0
    picture_size: int = 160
    subjects: int = 100
    frames: int = 1
    emotions: list[str] = field(
        default_factory=lambda: [emotion for emotion in EMOTIONS if emotion != "contempt"]
    )
    pose: float = field(default=1.0, metadata=LATER)
    light: float = field(default=1.0, metadata=LATER)
    first_subject: int = field(default=0, metadata=LATER)
    gray: bool = field(default=False, metadata=LATER)
    least_intensity: float = field(default=0.6, metadata=LATER)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames < 1:
            raise UserError(f"data.frames={self.frames}: give at least 1")
        if self.count < self.frames:
            raise UserError(
                f"data.count={self.count}: give at least data.frames={self.frames}, so that one "
                "sequence is complete"
            )
        if self.seed < 0:
            raise UserError(f"data.seed={self.seed}: give 0 or more")
        if self.picture_size < 32:
            raise UserError(f"data.picture_size={self.picture_size}: give at least 32 pixels")
        if self.subjects < 1:
            raise UserError(f"data.subjects={self.subjects}: give at least 1")
        if not 0 <= self.pose <= 2:
            raise UserError(f"data.pose={self.pose}: give a share of the usual spread, 0 to 2")
        if not 0 <= self.light <= 1.5:
            raise UserError(f"data.light={self.light}: give a share of the usual spread, 0 to 1.5")
        if not 0 < self.least_intensity <= 1:
            raise UserError(
                f"data.least_intensity={self.least_intensity}: give a number above 0, at most 1"
            )
        if self.first_subject < 0:
            raise UserError(f"data.first_subject={self.first_subject}: give 0 or more")
        unknown = [emotion for emotion in self.emotions if emotion not in EMOTIONS]
        if unknown or not self.emotions or len(set(self.emotions)) < len(self.emotions):
            raise UserError(
                f"data.emotions={self.emotions}: give one or more of {list(EMOTIONS)}, each once"
            )

    @property
    def native_channels(self) -> int:
        """1 for gray pictures, else 3."""
        return 1 if self.gray else 3

    def rows(self) -> Sequence[SourceRow]:
        """One row for each picture: the frames of one number after another."""
        return _Rows(self)

    def row(self, position: int) -> SourceRow:
        """Row of one picture by its place among :meth:`rows`, from 0."""
        from fer_lightning.data.drawn import emotion_action_units, generator

        number, frame = divmod(position, self.frames)
        turn, choice = divmod(number, len(self.emotions))
        emotion = self.emotions[choice]
        drawn = float(generator(self.seed, "intensity", number).uniform(self.least_intensity, 1))
        apex = 0.0 if emotion == "neutral" else round(drawn, 4)
        intensity = apex * self._moment(frame)
        units = emotion_action_units(
            emotion, intensity, generator(self.seed, "action units", number)
        )
        return SourceRow(
            path=f"drawn/{number:06d}",
            frame=frame,
            emotion=emotion,
            subject=f"S{self.first_subject + turn % self.subjects:03d}",
            intensity=intensity,
            action_units=units,
        )

    def _moment(self, frame: int) -> float:
        """Where a frame stands between the start of its sequence, 0, and the apex, 1."""
        return frame / (self.frames - 1) if self.frames > 1 else 1.0

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """None: the settings decide every picture."""
        return []

    def load(self, row: SourceRow) -> NDArray[np.uint8]:
        """Draw the picture of a row; RGB of shape (picture_size, picture_size, 3)."""
        from fer_lightning.data.drawn import draw_face

        picture = draw_face(self.parameters(row), self.picture_size)
        if not self.gray:
            return picture
        from PIL import Image

        return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))

    def parameters(self, row: SourceRow) -> FaceParameters:
        """Everything that the picture of a row is drawn from."""
        from fer_lightning.data import drawn

        number = int(Path(row.path).name)
        person = int((row.subject or "S0").removeprefix("S"))
        side = float(drawn.generator(self.seed, "side", number).choice((-1, 1)))
        return drawn.FaceParameters(
            action_units=row.action_units,
            one_sided=side if row.emotion == "contempt" else 0.0,
            identity=drawn.sample_identity(drawn.generator(self.seed, "identity", person)),
            view=drawn.sample_view(
                drawn.generator(self.seed, "view", number), self._moment(row.frame), self.pose
            ),
            light=drawn.sample_light(drawn.generator(self.seed, "light", number), self.light),
            background=drawn.sample_background(drawn.generator(self.seed, "background", number)),
        )

    def source_settings(self) -> dict[str, Any]:
        """The keys above, and the version of the drawing: new looks make a new archive."""
        from fer_lightning.data.drawn import VERSION

        return super().source_settings() | {"drawing": VERSION}


class _Rows(Sequence[SourceRow]):
    """Makes a row when it is asked for, so that a million of them take no memory."""

    def __init__(self, corpus: Drawn) -> None:
        self.corpus = corpus

    def __len__(self) -> int:
        return self.corpus.count // self.corpus.frames * self.corpus.frames

    @overload
    def __getitem__(self, place: int) -> SourceRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[SourceRow]: ...
    def __getitem__(self, place: int | slice) -> SourceRow | list[SourceRow]:
        places = range(len(self))[place]  # also negative ones; an IndexError ends iteration
        if isinstance(places, int):
            return self.corpus.row(places)
        return [self.corpus.row(position) for position in places]
