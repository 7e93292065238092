"""Configurations, what is besides and what is not finished, each with its folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fer_lightning.analysis.html.lines import lines_of, member_of
from fer_lightning.analysis.records import read_runs
from tests.helpers.results import make_evaluation, make_probe, make_run
from tests.unit.analysis.html.helpers import compared


def test_lines_in_their_order(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / f"{w}{s}", s, width=w) for w in (4, 8) for s in (0, 1)]
    begun = make_run(tmp_path / "begun", 2, finished=False, width=8)
    gans = read_runs([make_run(tmp_path / f"g{s}", s, kind="gan") for s in (0, 1)]).records
    besides = {"gan": [*gans, *gans], "train": read_runs(runs).records}
    lines = lines_of(replace(compared([*runs, begun]), besides=besides))
    assert [(line.name, line.status, len(line.members)) for line in lines] == [
        ("width=4", "finished", 2),
        ("width=8", "finished", 2),
        ("stage gan", "finished", 2),
        (str(begun), "unfinished", 1),
    ]
    assert [m.folder for m in lines[0].members] == runs[:2]


def test_a_probe_stands_for_its_network(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r")
    make_evaluation(run, {"fid": 1.0})
    (record,) = read_runs([run]).records
    assert member_of(record).evaluations == tuple((run / "evaluations").glob("*"))
    for place, folder in ((run, run), (tmp_path / "pixels", None)):
        source = replace(record.sources[1], path=make_probe(place, {"a": 1.0}))
        member = member_of(replace(record, probe=True, sources=(source,)))
        assert (member.folder, member.evaluations) == (folder, (source.path,))
