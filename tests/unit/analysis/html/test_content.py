"""The data of the page says what was measured, and nothing in it can be markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from fer_lightning.analysis.html.content import content
from fer_lightning.analysis.html.document import document
from fer_lightning.analysis.records import Unfinished
from fer_lightning.config.study import Metric
from tests.helpers.results import make_run
from tests.unit.analysis.html.helpers import compared, make_rich_run

HOSTILE = "</script><img src=x onerror=alert(1)>"


def test_runs_and_configurations(tmp_path: Path) -> None:
    runs = [make_rich_run(tmp_path / f"{w}{s}", s, width=w) for w in (4, 8) for s in (0, 1)]
    failed = Unfinished(what="train: seed=9", status="failed", reason="diverged", seed=9)
    comparison = replace(
        compared(runs, baseline="model.width=4"),
        unfinished=[failed],
        wanted={"accuracy": Metric(higher=True)},
        tables=["A/II"],
    )
    found = content(comparison, pictures=True)
    names = [metric["name"] for metric in found["metrics"]]
    assert [group["values"] for group in found["groups"]] == [
        {"model.width": "4"}, {"model.width": "8"}
    ]  # fmt: skip
    assert found["groups"][0]["metrics"][names.index("accuracy")][:3] == [0.75, 2, 0.0]
    assert found["groups"][0]["metrics"][names.index("g_loss")][:3] == [1.5, 2, 0.707107]
    statuses = [(run["status"], run["group"], run["seed"]) for run in found["runs"]]
    assert statuses[0] == ("finished", 0, 0)
    assert statuses[-1] == ("failed", None, 9)
    assert found["metrics"][names.index("accuracy")]["higher"] is True
    assert found["tables"]["unfinished"]["rows"] == [["train: seed=9", "failed", "diverged"]]
    assert {"differences", "provenance"} <= found["tables"].keys()
    assert found["tables"]["printed"][0]["caption"].startswith("Paper A, Table II")
    assert len(found["curves"]["curves"]) == len(found["lines"]) == 2
    assert len(found["samples"]["pictures"]) == 8
    assert len(found["confusions"][0]["matrices"]) == len(found["settings"]["runs"]) - 1 == 4
    assert len(found["rocs"]["kinds"][0]["curves"]) == 8
    assert content(comparison, pictures=False)["samples"] is None


def test_what_is_no_number_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", metrics={"fid": float("nan"), "kid": 1.0})
    found = content(compared([run]), pictures=True)
    assert found["runs"][0]["metrics"] == ["nan", 1.0]
    assert found["groups"][0]["metrics"] == [[None, 0, None, None, None, 1], [1.0, 1]]
    document(found)  # has no NaN, which JSON does not know


def test_nothing_can_end_the_data(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", width=HOSTILE)
    comparison = replace(compared([run]), title=HOSTILE, notes=[HOSTILE, "<!--"])
    page = document(content(comparison, pictures=True))
    assert HOSTILE not in page
    assert "<img" not in page
    assert page.count("<!--") == 0
    assert page.count("</script>") == 2
    data = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert data is not None
    assert json.loads(data[1])["title"] == HOSTILE


def test_the_policy_allows_this_script_and_pictures_in_the_file_alone(tmp_path: Path) -> None:
    page = document(content(compared([make_run(tmp_path / "r")]), pictures=True))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    kinds = dict(part.split(" ", 1) for part in policy[1].split("; "))
    assert kinds["default-src"] == "'none'"
    assert kinds["img-src"] == "data:"
    assert kinds["script-src"].startswith("'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
