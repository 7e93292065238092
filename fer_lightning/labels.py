"""Canonical emotions, splits and action units, and how datasets write them.

Every dataset counts emotions in its own order, so integers mean nothing outside their table. All
code passes through names, and all tables stand here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from fer_lightning.errors import UserError

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

NEUTRAL = EMOTIONS[0]
"""The expression from which all others depart."""

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

PAPER_D_ACTION_UNITS: tuple[int, ...] = (1, 2, 4, 5, 6, 7, 9, 12, 15, 17, 23, 24, 25, 27)
"""The action units that paper D detects (its Table IV)."""

_SPLIT_WORDS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "publictest": "val",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}

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


def _numbered(names: str, start: int = 0) -> dict[int | str, str]:
    return dict(enumerate(names.split(), start))


def _lettered(codes: str, names: str) -> dict[int | str, str]:
    return dict(zip(codes.split(), names.split(), strict=True))


CODES: Mapping[str, Mapping[int | str, str]] = MappingProxyType(
    {
        "fer2013": _numbered("anger disgust fear happiness sadness surprise neutral"),
        "affectnet": _numbered("neutral happiness sadness surprise fear disgust anger contempt"),
        "aff_wild2": _numbered("neutral anger disgust fear happiness sadness surprise"),
        "raf_db": _numbered("surprise fear disgust happiness sadness anger neutral", start=1),
        "ck_plus": _numbered("neutral anger contempt disgust fear happiness sadness surprise"),
        "jaffe": _lettered(
            "AN DI FE HA NE SA SU", "anger disgust fear happiness neutral sadness surprise"
        ),
        "faces": _lettered("a d f h n s", "anger disgust fear happiness neutral sadness"),
        "kdef": _lettered(
            "AF AN DI HA NE SA SU", "fear anger disgust happiness neutral sadness surprise"
        ),
        "paper_c": _numbered("anger disgust fear happiness sadness surprise"),
        "paper_d": _numbered(
            "anger contempt disgust fear happiness neutral sadness surprise", start=1
        ),
    }
)
"""Code to canonical name, by dataset; codes that mean no emotion are absent.

``paper_c`` and ``paper_d`` are those papers' class orders. FER+, Oulu-CASIA, RaFD and SFEW write
English words and need no table; what is in Aff-Wild2's files is read by their own headers.
"""


def canonical_emotion(name: str) -> str | None:
    """The canonical name for an English emotion word in any case, or None if it is not one."""
    word = name.strip().lower()
    word = _SYNONYMS.get(word, word)
    return word if word in EMOTIONS else None


def units_of_emotion(emotion: str | None, units: Iterable[int] = PAPER_D_ACTION_UNITS) -> list[int]:
    """Which action units an emotion has by paper D, Table VI, for faces that nobody has coded.

    All of such units' scores are scores of emotions: among faces of one intensity, AU6 is
    happiness, AU9 disgust, AU27 surprise, and AU7, AU23 and AU24 are all anger.

    Args:
        emotion: Canonical name, or None where unknown.
        units: FACS numbers.

    Returns:
        For each unit 1 where it is there, 0 where not, and -1 for an unknown emotion.
    """
    if emotion is None:
        return [-1 for _ in units]
    return [int(unit in EMOTION_ACTION_UNITS[emotion]) for unit in units]


def canonical_split(name: str) -> str | None:
    """The canonical name for a split's name in any case, or None if it is not one."""
    return _SPLIT_WORDS.get(name.strip().lower())


def check_labels(labels: Mapping[Any, str | None], codes: str | None) -> None:
    """Check the keys ``data.labels`` and ``data.codes`` of a corpus.

    Raises:
        UserError: If a value of ``labels`` or the table ``codes`` is unknown.
    """
    for word, name in labels.items():
        if name is not None and name not in EMOTIONS:
            raise UserError(f"data.labels.{word}={name}: give null or one of {list(EMOTIONS)}")
    if codes is not None and codes not in CODES:
        raise UserError(f"data.codes={codes}: choose from {sorted(CODES)}")


def read_labels(
    words: Mapping[str, int], labels: Mapping[Any, str | None], codes: str | None, source: str
) -> dict[str, str | None]:
    """Find what the labels of a dataset mean.

    Args:
        words: Each distinct label as written, and how often it occurs.
        labels: The user's own words and codes; they go first.
        codes: Name of a table of :data:`CODES`, which goes second; English words go last.
        source: What holds the labels, for messages.

    Returns:
        Every one of ``words`` with its canonical name, or None where ``labels`` says null.

    Raises:
        UserError: If some are unknown; lists them with their counts and the remedies.
    """
    known: dict[str, str | None] = {}
    known |= {str(code): name for code, name in CODES[codes].items()} if codes else {}
    known |= {_plain(word): name for word, name in labels.items()}
    meanings = {word: known.get(_plain(word), canonical_emotion(word)) for word in words}
    unknown = [word for word in words if meanings[word] is None and _plain(word) not in known]
    if not unknown:
        return meanings
    unknown.sort(key=lambda word: (-words[word], word))
    shown = ", ".join(f"{word!r} ({words[word]})" for word in unknown[:10])
    shown += ", …" * (len(unknown) > 10)
    remedy = f"say what each means, as in {_override(_plain(unknown[0]))} (or null for none)"
    if codes is None and any(re.fullmatch(r"-?\d+", _plain(word)) for word in unknown):
        remedy += f", or name the table of their codes by data.codes, one of {sorted(CODES)}"
    raise UserError(f"{source}: unknown labels {shown}; {remedy}")


def _plain(word: Any) -> str:
    """A label without the spaces around it, and without the ``.0`` of a code kept as a float."""
    return re.sub(r"^(-?\d+)\.0*$", r"\1", str(word).strip())


def _override(word: str) -> str:
    """The override that gives ``word`` a meaning, as far as Hydra's grammar can write it."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*|0|[1-9][0-9]*", word):
        return f"data.labels.{word}=happiness"
    if re.fullmatch(r"-?[A-Za-z0-9_ -]+", word):
        return f"'data.labels={{{word}:happiness}}'"
    return f"data: {{labels: {{{word!r}: happiness}}}} in a YAML file"
