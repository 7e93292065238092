"""A search is told the metrics that ``objective`` names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fer_lightning.config.objective import check_objective, objectives
from fer_lightning.errors import UserError
from fer_lightning.launchers.report import VARIABLE, read_report, report
from fer_lightning.runs import JobResult

METRICS = {"fid": 3.0, "recall": 0.5, "recall/anger": 0.25}


def test_objectives_are_metrics_by_name() -> None:
    assert objectives(None, METRICS) == ()
    assert objectives("fid", METRICS) == (3.0,)
    assert objectives(["recall", "recall/anger"], METRICS) == (0.5, 0.25)
    with pytest.raises(UserError, match=r"objective=kid: this job .* from fid, recall,"):
        objectives(["fid", "kid"], METRICS)


@pytest.mark.parametrize("value", [3, "", ["fid", None], {"fid": 1}])
def test_an_objective_has_to_be_a_name(value: object) -> None:
    with pytest.raises(UserError, match="names no metric: write objective=NAME"):
        check_objective(value)


def test_a_result_is_what_a_sweeper_of_hydra_asks_for() -> None:
    result = JobResult(Path("RUN"), METRICS)
    with pytest.raises(UserError, match="pass objective=NAME"):
        float(result)
    assert float(replace(result, objectives=(0.5,))) == 0.5
    assert [float(value) for value in replace(result, objectives=(0.5, 3.0))] == [0.5, 3.0]


def test_a_cell_of_the_pool_tells_its_objectives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "report.json"))
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    report(JobResult(Path("RUN"), METRICS, objectives=(0.5, 3.0)))
    found = read_report(tmp_path / "report.json")
    assert found is not None
    assert list(found) == [0.5, 3.0]
