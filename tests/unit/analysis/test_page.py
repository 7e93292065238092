"""The page says what was measured, what follows from it, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from fer_lightning import papers
from fer_lightning.analysis import page
from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.differences import differences
from fer_lightning.analysis.files import Source
from fer_lightning.analysis.markdown import duration, markdown_table, number
from fer_lightning.analysis.page import to_markdown
from fer_lightning.analysis.records import Record, Unfinished
from fer_lightning.analysis.statistics import summarize
from fer_lightning.analysis.tables import Group
from fer_lightning.cli import conf_dir
from fer_lightning.config.study import Metric, Stage


def make(name: str, x: int, scores: Sequence[float]) -> Group:
    return Group(
        name=name,
        values={"x": x},
        records=tuple(
            Record(
                config={"x": x},
                seed=seed,
                metrics={"fid": score, "kid": score + 1},
                images_seen=12_000,
                seconds=90.0 + seed,
                sources=(
                    Source(path=Path(f"{name}{seed}"), job="train", seconds=90.0, device="cpu",
                           threads=2, commit="abc-dirty"),
                ),
            )
            for seed, score in enumerate(scores)
        ),
    )  # fmt: skip


def comparison(**changes: object) -> Comparison:
    groups = [make("x=0", 0, [5.0, 6.0, 7.0]), make("x=1", 1, [4.0, 5.01, 5.99, 9.0])]
    metrics = ["fid", "kid"]
    settings: dict[str, object] = {
        "title": "tiny",
        "question": "Does x help?",
        "commands": {"this page": "fer compare runs=[…]"},
        "groups": groups,
        "keys": ["x"],
        "metrics": metrics,
        "wanted": {"fid": Metric(higher=False), "kid": Metric()},
        "baseline": {"x": 0},
        "differences": differences(groups, {"x": 0}, ["x"], metrics),
    }
    return Comparison(**{**settings, **changes})  # type: ignore[arg-type]


def cells(text: str, start: str) -> list[list[str]]:
    """Cells of the table lines that begin with ``start``."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {start} ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_has_numbers_and_conclusions() -> None:
    text = to_markdown(comparison())
    assert text.startswith("# tiny\n\nDoes x help?\n\n- this page: `fer compare runs=[…]`")
    summary = summarize([5.0, 6.0, 7.0])
    ours = f"6 ± 1 [{number(summary.low)}, {number(summary.high)}] (3)"
    assert cells(text, "x=0")[0][1] == ours
    assert cells(text, "images seen") == [["images seen", "12,000", "12,000"]]
    assert cells(text, "time of a training")[0][1] == "2 min ± 1 s"
    verdicts = {row[0]: row[4] for row in (*cells(text, "fid"), *cells(text, "kid"))}
    assert verdicts == {"fid": "lower (better)", "kid": "lower"}
    assert "x=1 minus x=0, fid: only one has seeds 3; left out." in text
    assert re.search(r"train +\| 7 +\| cpu +\| 2 +\| abc-dirty", text)
    for absent in ("paper", "Unfinished", "Notes"):
        assert f"## {absent}" not in text


def test_what_is_not_decided_is_not_called_better() -> None:
    groups = [make("x=0", 0, [5.0, 6.0]), make("x=1", 1, [6.0, 5.0])]
    found = differences(groups, {"x": 0}, ["x"], ["fid"])
    text = to_markdown(comparison(groups=groups, differences=found, metrics=["fid"]))
    assert cells(text, "fid")[0][-1] == "not decided at this size"
    assert "better" not in text


def test_more_metrics_than_configurations_run_downwards() -> None:
    text = page.means_table(comparison(metrics=["fid", "kid", "fed"]))
    assert [line.split()[1] for line in text.splitlines()[2:]] == ["fid", "kid", "fed"]
    assert cells(text, "fed") == [["fed", "\N{EN DASH}", "\N{EN DASH}"]]


def test_the_papers_number_stands_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = SimpleNamespace(value=3.0, unit="FID", source="paper Z, Table I", error="A misprint.")
    table = SimpleNamespace(to_markdown=lambda: "**The whole table.**\n")
    monkeypatch.setattr(papers, "lookup", {"Z/I/a/b": printed}.__getitem__)
    monkeypatch.setattr(papers, "tables", lambda: {"Z/I": table, "Z/II": table})
    text = to_markdown(comparison(wanted={"fid": Metric(paper="Z/I/a/b")}, tables=["Z/I", "Z/II"]))
    rows = text[text.index("## Beside the paper") :]
    row = cells(rows, "fid")[0]
    assert row[3:] == ["3 [1]", "FID", "2", "paper Z, Table I (Z/I/a/b)"]
    assert "- [1] A misprint." in rows
    assert rows.count("**The whole table.**") == 2


def arms() -> dict[str, object]:
    """A comparison of two arms on accuracies as shares."""
    groups = []
    for arm, scores in (("real", [0.6, 0.62]), ("leaky", [0.8, 0.84])):
        made = make(arm, 0, scores)
        groups.append(
            replace(
                made,
                values={"arm": arm},
                records=tuple(
                    replace(r, metrics={"accuracy": r.metrics["fid"]}) for r in made.records
                ),
            )
        )
    return {
        "groups": groups,
        "keys": ["arm"],
        "metrics": ["accuracy"],
        "baseline": {"arm": "real"},
        "differences": differences(groups, {"arm": "real"}, ["arm"], ["accuracy"]),
        "stages": {
            "train": Stage(
                job="train", overrides=["a=1"], arms={"real": [], "leaky": ["b=2", "c=3"]}
            )
        },
    }


def test_each_arm_is_explained_once() -> None:
    gans = [replace(make("gan", 0, [1.0]).records[0], images_seen=n, seconds=60) for n in (10, 20)]
    text = to_markdown(comparison(**arms(), besides={"gan": gans}, pictures=["d.png"]))
    table = text[text.index("## Arms") : text.index("## Configurations")]
    assert cells(table, "every arm") == [["every arm", "`a=1`"]]
    assert cells(table, "real") == [["real", "\N{EN DASH}"]]
    assert cells(table, "leaky") == [["leaky", "`b=2` `c=3`"]]
    assert text.count("`b=2`") == 1
    assert cells(text, "arm") == [["arm", "overrides of train"]]
    assert "- besides: 2 trainings of stage gan, 10 to 20 images seen, 2 min in all\n" in text
    assert "## Differences from arm=real\n" in text
    assert "![differences](d.png)" in text


def test_percents_of_a_paper_stand_beside_our_shares_by_arm() -> None:
    paper = {
        "real": ["B/accuracy/baseline/accuracy", "B/accuracy/Fig. 6.2/accuracy"],
        "leaky": "B/accuracy/augmented/accuracy",
    }
    text = to_markdown(comparison(**arms(), wanted={"accuracy": Metric(paper=paper)}))
    rows = cells(text[text.index("## Beside the paper") :], "accuracy")
    assert [[row[1], *row[3:6]] for row in rows] == [
        ["real", "0.6303 [1]", "share (printed: 63.03 %)", number(0.61 / 0.6303)],
        ["real", "0.6339 [2]", "share (printed: 63.39 %)", number(0.61 / 0.6339)],
        ["leaky", "0.85 [3]", "share (printed: 85 %)", number(0.82 / 0.85)],
    ]


def test_a_star_says_of_all_classes_what_is_better() -> None:
    found = comparison(wanted={"recall/*": Metric(higher=True), "recall": Metric()})
    assert found.metric("recall/fear[val]").higher
    assert found.metric("recall").higher is None


def test_references_of_the_real_papers_resolve() -> None:
    text = to_markdown(comparison(wanted={"fid": Metric(paper="A/II/50/G loss")}, tables=["A/II"]))
    assert "1.61" in text
    assert "Table II" in text


@pytest.mark.parametrize(
    "file", sorted((conf_dir() / "study").glob("*.yaml")), ids=lambda f: f.stem
)
def test_references_of_the_shipped_studies_resolve(file: Path) -> None:
    study = yaml.safe_load(file.read_text())
    for metric in study.get("metrics", {}).values():
        paper = metric.get("paper")
        arms = list(paper) if isinstance(paper, dict) else [None]
        for reference in (r for arm in arms for r in Metric(paper=paper).references(arm)):
            assert papers.lookup(reference).value >= 0
    named = study.get("table") or []
    tables = [named] if isinstance(named, str) else named
    assert {*tables} <= papers.tables().keys()


def test_what_is_missing_is_listed() -> None:
    missing = Unfinished(what="train: x=2 seed=0", status="failed", reason="a | b\nc")
    text = to_markdown(comparison(unfinished=[missing], notes=["Mind this."]))
    assert "| train: x=2 seed=0 | failed | a \\| b c |" in text
    assert "## Notes\n\n- Mind this." in text


def test_numbers_are_short() -> None:
    assert [number(v) for v in (None, 0.123456, 12345.6, 1e-7, -3.0, 1e12, -4e-18)] == [
        "\N{EN DASH}", "0.1235", "12350", "1e-07", "-3", "1e+12", "0"
    ]  # fmt: skip
    assert page.spread(summarize([2.0])) == "2 ± \N{EN DASH} \N{EN DASH} (1)"
    assert page.spread(summarize([2.0, float("nan")])).endswith("(1, 1 not finite)")
    assert page.spread(summarize([float("nan")])).endswith("(0, 1 not finite)")
    assert [duration(s) for s in (1.234, 61, 7_320)] == ["1.23 s", "1 min", "2 h 02 min"]


def test_a_table_is_aligned() -> None:
    assert markdown_table([["", "b"], ["aaaa", "c"]]).splitlines() == [
        "|      | b   |", "|------|-----|", "| aaaa | c   |"
    ]  # fmt: skip


def test_a_probe_that_no_seed_changes_is_told_as_such() -> None:
    gan, pixels = (
        replace(g, records=tuple(replace(r, probe=True) for r in g.records))
        for g in (make("gan", 1, [4.0, 5.0, 7.0]), make("pixels", 0, [1.0]))
    )
    pixels = replace(pixels, records=(replace(pixels.records[0], seed=None, command="fer probe"),))
    found = differences([pixels, gan], {"x": 0}, ["x"], ["fid"])
    text = to_markdown(comparison(groups=[pixels, gan], differences=found))
    assert re.search(r"^\| seeds +\| all +\| 0 1 2 +\|$", text, re.M)
    assert re.search(r"^\| images seen by the network ", text, re.M)
    assert re.search(r"^\| time of a probe ", text, re.M)
    assert "pixels does not depend on the seed: its one value is paired with that of each" in text
    assert "- pixels, all seeds: `pixels0`, measured by `fer probe`" in text
