"""Tables whose names LaTeX prints as they stand, and bold only where something was decided."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from fer_lightning import papers
from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.differences import differences
from fer_lightning.analysis.latex import escape, to_latex
from fer_lightning.config.study import Metric
from tests.unit.analysis.test_page import comparison, make


def decided() -> Comparison:
    groups = [make("x_0", 0, [5.0, 6.1, 7.0]), make("x_1", 1, [3.0, 4.0, 5.1])]
    return comparison(
        groups=groups, differences=differences(groups, {"x": 0}, ["x"], ["fid", "kid"])
    )


def test_bold_is_what_a_verdict_calls_better() -> None:
    text = to_latex(decided())
    assert text.count(r"\boldmath") == 1  # nobody said whether more of kid is better
    assert re.search(r"x\\_1 & \\boldmath\$4\.033 \\pm 1\.05\d*\$", text)
    assert "Bold: better than x=0" in text
    undecided = to_latex(replace(decided(), differences=()))
    assert r"\boldmath" not in undecided
    worse = to_latex(replace(decided(), wanted={"fid": Metric(higher=True)}))
    assert r"\boldmath" not in worse
    assert "Bold" not in to_latex(replace(decided(), baseline={}, differences=()))


def test_names_are_escaped() -> None:
    assert escape("a_b & 5 % {x} ^~\\ ±") == (
        r"a\_b \& 5 \% \{x\} \textasciicircum{}\textasciitilde{}\textbackslash{} $\pm$"
    )


def test_tables_are_whole() -> None:
    text = to_latex(replace(decided(), wanted={"fid": Metric(paper="A/II/50/G loss")}))
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 3
    for table in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end", text, re.S):
        rows = [line for line in table[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(table[0])}


def test_marks_of_known_errors_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = SimpleNamespace(value=3.0, unit="FID", source="paper Z", error="Off by 50 %.")
    monkeypatch.setattr(papers, "lookup", {"Z/I/a/b": printed}.__getitem__)
    text = to_latex(replace(decided(), wanted={"fid": Metric(paper="Z/I/a/b")}))
    table = text[text.index(r"\caption{Our numbers beside the paper's.") :]
    assert "3 [1] &" in table
    assert r"[1] Off by 50 \%.}" in table.splitlines()[0]
