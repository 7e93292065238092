"""The table names everything once."""

from __future__ import annotations

from fer_lightning.metrics.report import table


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
