"""What stands in for the RPI ISL Enhanced Cohn-Kanade: the FACS-coded peaks of CK+."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fer_lightning.data.corpora.base import Facts
from fer_lightning.data.corpora.ck_plus import CKPlus, Recording


@dataclass(kw_only=True)
class EnhancedCK(CKPlus):
    """The peak frames of all CK+ sequences that have a FACS file.

    Paper D uses the Enhanced Cohn-Kanade of RPI's ISL: 8,422 frames, coded one by one for
    fourteen action units (https://www.ecse.rpi.edu/~cvrl/database/ISL_Enhanced_CohnKanade.htm).
    How its files are laid out is not known to us, so CK+ takes its place, of which one frame of
    each sequence is coded, 593 in all.

    Files are known by their names, wherever below ``data.root`` they lie: images
    ``S005_001_00000011.png``, ``…_facs.txt`` and ``…_emotion.txt``. Unlike for ``ck_plus``, the
    FACS files are needed and the emotion files are not: an emotion is told where it is known (0
    neutral, 1 anger, 2 contempt, 3 disgust, 4 fear, 5 happiness, 6 sadness, 7 surprise). Images
    with other names are counted as ``misnamed``.

    FACS files code the last frame alone, on a scale from 0 to 5: 1 to 5 are the grades A to E, 0.5
    stands for a unit that is present without a grade (written 0), and 0 for those of the 20 units
    that this package knows which are not listed. Other units are ignored.

    Attributes:
        neutral: Take the first frame of each sequence with an emotion as neutral; off, because
            neutral frames are not coded.
        peak_frames: How many of the last frames carry the emotion; further ones are not coded,
            and only those of sequences with an emotion are taken.
    """

    facts: ClassVar[Facts] = Facts(
        title="CK+ peaks in place of RPI ISL Enhanced Cohn-Kanade",
        images="593",
        emotions="7, in 327 images",
        action_units=CKPlus.facts.action_units,
        subjects=CKPlus.facts.subjects,
        terms=CKPlus.facts.terms,
        source=CKPlus.facts.source,
    )
    remark: ClassVar[str] = (
        "Peak frames of CK+ with their FACS codes stand in for the RPI ISL Enhanced Cohn-Kanade "
        "of paper D (8,422 frames coded one by one), whose layout is not known to us."
    )
    needs: ClassVar[str] = "_facs"

    name: str = "enhanced_ck"
    neutral: bool = False

    def labelled(self, recordings: list[Recording]) -> list[Recording]:
        """The sequences with a FACS file."""
        return [one for one in recordings if one.facs]
