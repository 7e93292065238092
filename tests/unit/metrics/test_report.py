"""The table names everything once."""

from __future__ import annotations

from typing import Any

from fer_lightning.metrics.report import cautions, recognition_table, table


def test_all_first_then_a_line_a_class() -> None:
    text = table({"fid": 12.3456, "kid_sd": 0.1, "fid/fear": 1.0, "kid_sd/fear": 2, "x/anger": 3.5})
    assert text.splitlines() == [
        "fid          12.346",
        "kid_sd          0.1",
        "",
        "               fid            x",
        "fear             1            -",
        "anger            -          3.5",
    ]


def test_without_classes_there_is_no_matrix() -> None:
    assert table({"fid": 1.0}) == "fid            1"


def test_a_classifier_has_intervals_beside_its_numbers() -> None:
    metrics = {"accuracy": 0.73312, "auc": 0.9, "precision/fear": 0.5, "recall/anger": 1.0}
    intervals = {"accuracy": [0.7, 0.76006], "recall/anger": [0.9, 1.0]}
    assert recognition_table(metrics, intervals).splitlines() == [
        "accuracy       0.7331  [0.7000, 0.7601]",
        "auc            0.9000",
        "",
        "         precision       recall",
        "fear        0.5000            -",
        "anger            -       1.0000",
        "",
        "[low, high]: 95 % interval over resamples of these images, not over trainings",
    ]


def test_without_intervals_none_is_explained() -> None:
    assert recognition_table({"accuracy": 0.5}, {}) == "accuracy       0.5000"


def protocol(**settings: Any) -> dict[str, Any]:
    plain = {"split": "all", "corpus": "small", "count": 24, "labelled": 240}
    none: dict[str, Any] = {"unknown_emotions": {}, "trained_on": None, "below_dimensions": {}}
    return {**plain, **none, **settings}


def test_a_share_is_not_taken_for_the_whole() -> None:
    line = "24 of the 240 labelled images of small were measured"
    assert list(cautions(protocol())) == [line]
    assert list(cautions(protocol(split="test"))) == [f"{line}; split=all takes every one"]


def test_what_limits_the_numbers_is_a_line_each() -> None:
    below = {"inception": {"dimensions": 2048, "groups": ["all", "disgust"]},
             "pixels": {"dimensions": 256, "groups": ["disgust"]}}  # fmt: skip
    lines = list(
        cautions(
            protocol(
                unknown_emotions={"fear": 2},
                trained_on={"no_yardstick": 7},
                below_dimensions=below,
            )
        )
    )
    assert len(lines) == 4
    assert lines[1].endswith("{'fear': 2}")
    assert lines[2].startswith("7 of the measured images are training images")
    assert lines[3].endswith(": all, disgust in inception (2,048); disgust in pixels (256)")
