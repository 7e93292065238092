"""What ``fer edit`` takes."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import MISSING

from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS, canonical_emotion


class Faces(enum.Enum):
    """Which faces of a picture are edited."""

    largest = "largest"
    all = "all"


@dataclass(kw_only=True)
class EditConfig:
    """``fer edit``: change the emotion of the faces in photographs.

    The point of the emotion space is said in one of three ways: ``emotion`` with ``intensity``,
    ``theta`` with ``rho``, or ``blend``. With ``sheet`` alone no point is needed.

    Attributes:
        run: Run folder of a model that edits faces.
        image: A picture, or a folder of pictures, those in its subfolders included.
        emotion: The emotion that the faces are given, in any usual word for it.
        intensity: Of that emotion, from 0 (neutral) to 1 (the apex); 1 where it is not given.
        theta: Angle of a point in the plane of emotions, in radians from -2π to 2π.
        rho: Distance of that point from the origin; training goes up to 1, in a Gaussian space up
            to the corners of the square from -1 to 1.
        blend: Shares of emotions, ``blend.happiness=0.6 blend.surprise=0.4``, at most 1 in all;
            what is left over is neutral.
        faces: Edit the ``largest`` face of a picture, or ``all``.
        detector: Finds and crops the faces; None takes the one that cut the faces of the run's
            training, or MTCNN where these were whole images.
        out: The file to write, or the folder where ``image`` is one; None is a place in
            ``RUN/edits``.
        sheet: Also draw what the model makes of the largest face of each picture: the whole disc
            of emotions where they lie in a plane, and each from neutral to its apex.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        force: Replace what stands at ``out``, and edit again what is finished.
    """

    run: Path = MISSING
    image: Path = MISSING
    emotion: str | None = None
    intensity: float | None = None
    theta: float | None = None
    rho: float | None = None
    # The names stand here so that Hydra takes them without a plus.
    blend: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(EMOTIONS))
    faces: Faces = Faces.largest
    detector: DetectorConfig | None = None
    out: Path | None = None
    sheet: bool = False
    accelerator: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        if self.emotion is not None:
            self.emotion = canonical_emotion(self.emotion) or self.emotion
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"accelerator={self.accelerator}: choose auto, cpu or gpu")
        self.blend = {name: share for name, share in self.blend.items() if share is not None}
        self._check_one_point()
        if self.intensity is not None and not 0 <= self.intensity <= 1:
            raise UserError(f"intensity={self.intensity}: give 0 (neutral) to 1 (the apex)")
        if self.theta is not None and not abs(self.theta) <= 2 * math.pi:
            raise UserError(
                f"theta={self.theta}: give an angle in radians, from {-2 * math.pi:.2f} to "
                f"{2 * math.pi:.2f}; 90 degrees are {math.pi / 2:.3f}"
            )
        if self.rho is not None and not 0 <= self.rho < math.inf:
            raise UserError(f"rho={self.rho}: give a distance from the origin, 0 or more")
        self._check_shares()

    def _check_one_point(self) -> None:
        """Exactly one way of saying the point, whole; none will do for a sheet."""
        polar = [key for key in ("theta", "rho") if getattr(self, key) is not None]
        given = ["emotion"] * (self.emotion is not None) + polar[:1] + ["blend"] * bool(self.blend)
        if len(given) > 1:
            raise UserError(f"{' and '.join(given)} each say a point: give one of them")
        if len(polar) == 1:
            raise UserError(f"{polar[0]} is half a point: give theta=RADIANS rho=DISTANCE")
        if self.intensity is not None and self.emotion is None:
            raise UserError(f"intensity={self.intensity} is of an emotion: give emotion=NAME, too")
        if not given and not self.sheet:
            raise UserError(
                "which emotion is wanted? Give emotion=NAME intensity=0.8, or theta=RADIANS "
                "rho=DISTANCE, or blend.NAME=0.6 blend.OTHER=0.4; or sheet=true to see them all"
            )

    def _check_shares(self) -> None:
        for name, share in self.blend.items():
            if share is None or not 0 <= share <= 1:
                raise UserError(f"blend.{name}={share}: give a share from 0 to 1")
        total = sum(share for share in self.blend.values() if share)
        if total > 1 + 1e-6:
            raise UserError(f"the shares of blend.* add up to {total:g}: give at most 1 in all")
