"""Every coding of the datasets, against the tables of their papers written out."""

from __future__ import annotations

from collections import Counter

import pytest

from fer_lightning.errors import UserError
from fer_lightning.labels import (
    ACTION_UNITS,
    CODES,
    EMOTION_ACTION_UNITS,
    EMOTIONS,
    PAPER_D_ACTION_UNITS,
    canonical_emotion,
    canonical_split,
    check_labels,
    read_labels,
    units_of_emotion,
)

TABLES: dict[str, dict[int | str, str]] = {
    "fer2013": {
        0: "anger",
        1: "disgust",
        2: "fear",
        3: "happiness",
        4: "sadness",
        5: "surprise",
        6: "neutral",
    },
    "affectnet": {
        0: "neutral",
        1: "happiness",
        2: "sadness",
        3: "surprise",
        4: "fear",
        5: "disgust",
        6: "anger",
        7: "contempt",
    },
    "aff_wild2": {
        0: "neutral",
        1: "anger",
        2: "disgust",
        3: "fear",
        4: "happiness",
        5: "sadness",
        6: "surprise",
    },
    "raf_db": {
        1: "surprise",
        2: "fear",
        3: "disgust",
        4: "happiness",
        5: "sadness",
        6: "anger",
        7: "neutral",
    },
    "ck_plus": {
        0: "neutral",
        1: "anger",
        2: "contempt",
        3: "disgust",
        4: "fear",
        5: "happiness",
        6: "sadness",
        7: "surprise",
    },
    "jaffe": {
        "AN": "anger",
        "DI": "disgust",
        "FE": "fear",
        "HA": "happiness",
        "NE": "neutral",
        "SA": "sadness",
        "SU": "surprise",
    },
    "faces": {
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "s": "sadness",
    },
    "kdef": {
        "AF": "fear",
        "AN": "anger",
        "DI": "disgust",
        "HA": "happiness",
        "NE": "neutral",
        "SA": "sadness",
        "SU": "surprise",
    },
    "paper_c": {
        0: "anger",
        1: "disgust",
        2: "fear",
        3: "happiness",
        4: "sadness",
        5: "surprise",
    },
    "paper_d": {
        1: "anger",
        2: "contempt",
        3: "disgust",
        4: "fear",
        5: "happiness",
        6: "neutral",
        7: "sadness",
        8: "surprise",
    },
}

# Words of each dataset, in the order of EMOTIONS; None where it lacks the emotion.
WORDS: dict[str, str] = {
    "FERPlus": "neutral happiness sadness surprise fear disgust anger contempt",
    "Kaggle's FER-2013": "neutral happy sad surprise fear disgust angry -",
    "RaFD": "neutral happy sad surprised fearful disgusted angry contemptuous",
    "SFEW": "Neutral Happy Sad Surprise Fear Disgust Angry -",
    "Oulu-CASIA": "- Happiness Sadness Surprise Fear Disgust Anger -",
    "Aff-Wild2 header": "Neutral Happiness Sadness Surprise Fear Disgust Anger -",
    "KDEF": "neutral happy sad surprised afraid disgusted angry -",
}


@pytest.mark.parametrize("dataset", sorted(TABLES))
def test_codes_mean_what_the_dataset_says(dataset: str) -> None:
    assert dict(CODES[dataset]) == TABLES[dataset]


def test_no_table_goes_untested_and_all_names_are_canonical() -> None:
    assert CODES.keys() == TABLES.keys()
    assert {name for table in CODES.values() for name in table.values()} == set(EMOTIONS)


@pytest.mark.parametrize("dataset", sorted(WORDS))
def test_english_words_of_the_datasets(dataset: str) -> None:
    for word, emotion in zip(WORDS[dataset].split(), EMOTIONS, strict=True):
        assert word == "-" or canonical_emotion(word) == emotion


@pytest.mark.parametrize("word", ["unknown", "NF", "Other", "none", "uncertain", ""])
def test_words_that_mean_no_emotion(word: str) -> None:
    assert canonical_emotion(word) is None


def test_affwild2_to_affectnet_is_a_bijection_on_seven_classes() -> None:
    affectnet = {name: code for code, name in CODES["affectnet"].items()}
    mapped = {code: affectnet[name] for code, name in CODES["aff_wild2"].items()}
    assert mapped == {0: 0, 1: 6, 2: 5, 3: 4, 4: 1, 5: 2, 6: 3}


def test_action_units_of_rafd_have_the_positives_of_table_vi() -> None:
    positives = Counter(unit for units in EMOTION_ACTION_UNITS.values() for unit in units)
    assert {unit: 201 * count for unit, count in positives.items()} == {
        1: 603,
        2: 402,
        4: 402,
        5: 603,
        6: 201,
        7: 201,
        9: 201,
        12: 402,
        15: 603,
        17: 603,
        23: 201,
        24: 201,
        25: 804,
        27: 201,
    }
    assert EMOTION_ACTION_UNITS.keys() == set(EMOTIONS)
    assert positives.keys() <= ACTION_UNITS.keys()


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("train", "train Training TRAIN"),
        ("val", "val valid Validation PublicTest"),
        ("test", "test Testing PrivateTest"),
        (None, "dev images"),
    ],
)
def test_canonical_split(split: str | None, words: str) -> None:
    assert {canonical_split(word) for word in words.split()} == {split}


def test_labels_go_before_codes_and_codes_before_words() -> None:
    words = {"3": 1, "3.0": 1, " 1 ": 1, "8": 1, "Happy": 1}
    meanings = read_labels(words, {1: "fear", "8": None}, "affectnet", "x.csv")
    assert meanings == {
        "3": "surprise",
        "3.0": "surprise",
        " 1 ": "fear",
        "8": None,
        "Happy": "happiness",
    }


def test_letter_codes_are_read_by_their_table() -> None:
    assert read_labels({"SA": 3}, {}, "jaffe", "x.csv") == {"SA": "sadness"}


def test_unknown_words_are_listed_by_count_with_the_remedy() -> None:
    with pytest.raises(UserError) as error:
        read_labels({"happy": 5, "meh": 2, "joyfull": 7}, {}, None, "x.csv")
    text = str(error.value)
    assert "'joyfull' (7), 'meh' (2)" in text
    assert "data.labels.joyfull=happiness" in text
    assert "null" in text
    assert "data.codes" not in text
    assert text.startswith("x.csv")


def test_integer_codes_without_a_table_name_both_remedies_and_all_tables() -> None:
    with pytest.raises(UserError, match=r"data\.labels\.0=.*data\.codes") as error:
        read_labels({"0": 1, "1": 1}, {}, None, "x.csv")
    assert all(table in str(error.value) for table in CODES)


def test_a_code_that_means_no_emotion_has_to_be_said() -> None:
    with pytest.raises(UserError, match=r"'data\.labels=\{-1:happiness\}' \(or null"):
        read_labels({"-1": 4, "0": 9}, {}, "aff_wild2", "x.csv")


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("very happy", "'data.labels={very happy:happiness}'"),
        ("glücklich", "{labels: {'glücklich': happiness}} in a YAML file"),
    ],
)
def test_the_remedy_is_one_that_hydra_can_parse(word: str, remedy: str) -> None:
    with pytest.raises(UserError) as error:
        read_labels({word: 1}, {}, None, "x.csv")
    assert remedy in str(error.value)


def test_check_labels_names_the_key_and_the_choices() -> None:
    check_labels({"meh": None, "yay": "happiness"}, "affectnet")
    with pytest.raises(UserError, match=r"data\.labels\.yay=happyness.*'happiness'"):
        check_labels({"yay": "happyness"}, None)
    with pytest.raises(UserError, match=r"data\.codes=affect.*affectnet"):
        check_labels({}, "affect")


def test_emotions_relabelled_by_table_six_have_the_positives_of_paper_d() -> None:
    faces = [emotion for emotion in EMOTIONS for _ in range(201)]  # RaFD's frontal faces
    rows = [units_of_emotion(emotion) for emotion in faces]
    positives = dict(zip(PAPER_D_ACTION_UNITS, map(sum, zip(*rows, strict=True)), strict=True))
    assert len(rows) == 1608
    assert positives == {
        1: 603, 2: 402, 4: 402, 5: 603, 6: 201, 7: 201, 9: 201,
        12: 402, 15: 603, 17: 603, 23: 201, 24: 201, 25: 804, 27: 201,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "same"),
    [
        (6, "happiness"),
        (9, "disgust"),
        (27, "surprise"),
        (7, "anger"),
        (23, "anger"),
        (24, "anger"),
    ],
)
def test_some_relabelled_units_are_emotions(unit: int, same: str) -> None:
    for emotion in EMOTIONS:
        assert units_of_emotion(emotion, [unit]) == [int(emotion == same)]


def test_neutral_has_no_unit_and_nobody_knows_of_the_unlabelled() -> None:
    assert units_of_emotion("neutral") == [0] * 14
    assert units_of_emotion(None) == [-1] * 14
