"""Canonical emotions and action units, and the codes by which datasets write them.

Every dataset counts emotions in its own order, so integers mean nothing outside the table that
they belong to. All code passes through names, and all tables stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "sadness",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)
"""Canonical names in canonical order; class indices follow this order."""

SPLITS: tuple[str, ...] = ("train", "val", "test")
"""Canonical split names. FER-2013: PublicTest is ``val``, PrivateTest is ``test``."""

ACTION_UNITS: Mapping[int, str] = MappingProxyType(
    {
        1: "inner brow raiser",
        2: "outer brow raiser",
        4: "brow lowerer",
        5: "upper lid raiser",
        6: "cheek raiser",
        7: "lid tightener",
        9: "nose wrinkler",
        10: "upper lip raiser",
        11: "nasolabial deepener",
        12: "lip corner puller",
        14: "dimpler",
        15: "lip corner depressor",
        17: "chin raiser",
        20: "lip stretcher",
        22: "lip funneler",
        23: "lip tightener",
        24: "lip pressor",
        25: "lips part",
        26: "jaw drop",
        27: "mouth stretch",
    }
)
"""FACS action units by number: the fourteen of paper D and the six more that FACS files carry."""

EMOTION_ACTION_UNITS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "neutral": (),
        "happiness": (6, 12, 25),
        "sadness": (1, 4, 15, 17),
        "surprise": (1, 2, 5, 25, 27),
        "fear": (1, 2, 5, 15, 25),
        "disgust": (9, 15, 17, 25),
        "anger": (4, 5, 7, 17, 23, 24),
        "contempt": (12,),
    }
)
"""Emotion to action units by paper D, Table VI (contempt is one-sided; neutral has none)."""

_SYNONYMS: Mapping[str, str] = {
    "angry": "anger",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
    "neutrality": "neutral",
}

CODES: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "fer2013": dict(
            enumerate(("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"))
        ),
        "affectnet": dict(enumerate(EMOTIONS)),
        "affwild2": dict(
            enumerate(("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"))
        ),
        "raf_db": dict(
            enumerate(
                ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"), start=1
            )
        ),
        "ck_plus": dict(
            enumerate(
                (
                    "neutral",
                    "anger",
                    "contempt",
                    "disgust",
                    "fear",
                    "happiness",
                    "sadness",
                    "surprise",
                )
            )
        ),
        "paper_d": dict(
            enumerate(
                (
                    "anger",
                    "contempt",
                    "disgust",
                    "fear",
                    "happiness",
                    "neutral",
                    "sadness",
                    "surprise",
                ),
                start=1,
            )
        ),
    }
)
"""Integer code to canonical name, by dataset. Codes that mean no emotion are absent."""


def canonical_emotion(name: str) -> str | None:
    """The canonical name for an English emotion word in any case, or None if it is not one."""
    word = name.strip().lower()
    word = _SYNONYMS.get(word, word)
    return word if word in EMOTIONS else None
