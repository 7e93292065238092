"""Ways take turns, and medians, ratios and goals are what they say."""

from __future__ import annotations

import pytest

from fer_lightning.benchmarks.comparison import Goal, SideBySide, in_turn
from fer_lightning.benchmarks.report import as_json, machine, page, table


def test_every_way_warms_up_and_then_takes_its_turn() -> None:
    calls: list[str] = []

    def way(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    result = in_turn("work", "s", {n: lambda n=n: way(n) for n in "abc"}, rounds=2)  # type: ignore[misc]
    assert "".join(calls) == "abc" + "abc" + "bca"
    assert result.values == {"a": [4.0, 9.0], "b": [5.0, 7.0], "c": [6.0, 8.0]}


def test_a_ratio_is_taken_round_by_round() -> None:
    # The machine was ten times slower in the last round, for both.
    result = SideBySide("work", "images/s", {"a": [40.0, 44.0, 4.2], "b": [20.0, 20.0, 2.0]})
    assert result.median("a") == 40
    assert result.ratio("a", "b") == pytest.approx(2.1)


@pytest.mark.parametrize(("at_least", "met"), [(True, [False, True]), (False, [True, True])])
def test_a_goal_is_met_on_its_side_of_the_bound(at_least: bool, met: list[bool]) -> None:
    assert [Goal("times", value, 2.0, at_least).met for value in (1.9, 2.0)] == met


def test_page_and_json_tell_what_was_missed_on_which_machine() -> None:
    goals = [Goal("times theirs", 1.9, 20.0), Goal("of a step", 0.012, 0.03, at_least=False)]
    values = {"ours": [1900.4, 2100.0, 1950.0], "theirs": [1000.0, 1000.0, 1000.0]}
    result = SideBySide("feeding", "images/s", values, goals, ["Ten faces."])
    text = table(result)
    assert "## Feeding" in text
    assert "| ours | 1,950 | 1,900 to 2,100 | 1 |" in text
    assert "| theirs | 1,000 | 1,000 to 1,000 | 0.513 |" in text
    assert "- **missed**: 1.9 times theirs; goal at least 20" in text
    assert "- met: 0.012 of a step; goal at most 0.03" in text
    measured_on = machine()
    assert f"- cores: {measured_on['cores']}" in page([result], measured_on)
    whole = as_json([result], measured_on)
    assert whole["results"][0]["values"]["ours"] == [1900.4, 2100.0, 1950.0]
    assert [goal["met"] for goal in whole["results"][0]["goals"]] == [False, True]
    assert whole["versions"]["torch"]
