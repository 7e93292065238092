"""What a cell returns reaches the pool."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer_lightning.errors import UserError
from fer_lightning.launchers.report import read_report, report
from fer_lightning.runs import JobResult


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_RESULT", str(tmp_path / "0.json"))
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    return tmp_path / "0.json"


def test_a_result_comes_back_as_it_was(place: Path) -> None:
    result = JobResult(Path("multirun/Zoë"), {"fid": 3.25, "g_loss": -1e-30}, 130)
    report(result)
    assert read_report(place) == result
    assert [p.name for p in place.parent.iterdir()] == ["0.json"]


def test_not_a_number_comes_back_too(place: Path) -> None:
    report(JobResult(Path("run"), {"g_loss": math.nan}))
    read = read_report(place)
    assert read is not None
    assert math.isnan(read.metrics["g_loss"])


def test_an_archive_is_reported_by_its_path(place: Path) -> None:
    report(SimpleNamespace(path=Path("archives/faces")))
    assert read_report(place) == JobResult(Path("archives/faces"))


def test_nothing_is_written_where_nobody_asked(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(None)
    monkeypatch.setenv("LOCAL_RANK", "1")
    report(JobResult(Path("run")))
    monkeypatch.delenv("LOCAL_RANK")
    monkeypatch.delenv("FER_RESULT")
    report(JobResult(Path("run")))
    assert not place.exists()
    assert read_report(place) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"path": 1, "metrics": {}, "status": 0}'])
def test_a_damaged_report_is_named(place: Path, text: str) -> None:
    place.write_text(text)
    with pytest.raises(UserError, match=r"0\.json is no report"):
        read_report(place)
