"""A paper's table: its cells, its messages, its Markdown."""

from __future__ import annotations

from typing import Any

import pytest

from fer_lightning.errors import UserError
from fer_lightning.papers.table import PaperTable


def table(**changes: Any) -> PaperTable:
    attributes: dict[str, Any] = {
        "paper": "D",
        "name": "IX",
        "title": "Things that were counted.",
        "unit": "%",
        "source": "Table IX",
        "columns": ("accuracy", "images"),
        "column_units": {"images": "images"},
        "rows": {"fear": (12.5, 30), "anger": (7, None), "total": (9, 41)},
        "legend": {"total": "both"},
        "notes": ("Recomputed: 30.",),
        "errors": ("Upside down: turn it.",),
        "cell_errors": {
            ("total", "accuracy"): "Not the mean: use 9.75.",
            ("total", "images"): "Not the sum: use 30.",
            ("fear", "images"): "Not the sum: use 30.",
        },
    }
    return PaperTable.of(**(attributes | changes))


def test_a_cell_has_value_unit_source_and_error() -> None:
    plain, wrong = table().cell("fear", "accuracy"), table().cell("total", "images")
    assert (plain.value, plain.unit, plain.error) == (12.5, "%", None)
    assert (wrong.value, wrong.unit, wrong.error) == (41, "images", "Not the sum: use 30.")
    assert plain.source == wrong.source == "paper D, Table IX"


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("Angre", "accuracy", "D/IX: there is no row 'Angre'; did you mean 'anger'"),
        ("joy", "accuracy", "there is no row 'joy'; choose from .*'fear', 'anger', 'total'"),
        ("fear", "Image", "D/IX: there is no column 'Image'; did you mean 'images'"),
        ("anger", "images", r"D/IX/anger/images: the paper prints no .*has \['accuracy'\]"),
    ],
)
def test_a_cell_that_is_not_there_is_the_users_mistake(row: str, column: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        table().cell(row, column)


def test_markdown_shows_values_units_and_footnotes() -> None:
    assert table().to_markdown() == (
        "**Paper D, Table IX.** Things that were counted.\n"
        "\n"
        "|  | accuracy (%) | images |\n"
        "|---|--:|--:|\n"
        "| fear | 12.5 | 30 [b] |\n"
        "| anger | 7 |  |\n"
        "| total | 9 [a] | 41 [b] |\n"
        "\n"
        "- total: both\n"
        "- Note: Recomputed: 30.\n"
        "- Error: Upside down: turn it.\n"
        "- [a] Not the mean: use 9.75.\n"
        "- [b] Not the sum: use 30.\n"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": {"fear": (1,)}},
        {"rows": {"fear": (1, 2), "total": (3, 4), "a/b": (5, 6)}},
        {"columns": ("accuracy", "accuracy")},
        {"column_units": {"image": "images"}},
        {"legend": {"mean": "both"}},
        {"cell_errors": {("anger", "images"): "Not printed."}},
    ],
)
def test_names_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"D/IX|zip"):
        table(**changes)


def test_a_value_outside_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="stand for nothing"):
        PaperTable(
            paper="D",
            name="IX",
            title="t",
            unit="%",
            source="s",
            rows=("fear",),
            columns=("images",),
            values={("fear", "image"): 1.0},
        )


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        table().values["fear", "images"] = 1.0  # type: ignore[index]
