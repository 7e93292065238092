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
    each sequence is coded, 593 in all. Layout, codes and keys are those of
    :class:`~fer_lightning.data.corpora.ck_plus.CKPlus`, but here the FACS files are needed and
    the emotion files are not: an emotion is told where it is known.

    Attributes:
        neutral: As there; off, because neutral frames are not coded.
        peak_frames: As there; further frames are not coded, and only those of sequences with an
            emotion are taken.
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
