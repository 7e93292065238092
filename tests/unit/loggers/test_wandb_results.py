"""Measurements become W&B runs of their own, beside that of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fer_lightning.config.logger import LoggerConfig, WandbMode
from fer_lightning.errors import UserError
from fer_lightning.loggers import wandb_results
from fer_lightning.loggers.wandb_results import class_table, overall_table, show_results
from fer_lightning.prefetched import INDEX, VARIABLE
from tests.unit.loggers.test_wandb_mirror import FakeWandb, install

CONTENT = {
    "job": "evaluate",
    "metrics": {"accuracy": 0.5, "recall/anger": 0.25, "recall/fear": 0.75, "f1/anger": 0.3},
    "intervals": {"accuracy": [0.4, 0.6]},
    "protocol": {"corpus": "drawn", "split": "test"},
    "images_seen": 80,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of a study."""
    logger = {"wandb": "offline", "project": "faces", "entity": None, "group": "mine", "tags": []}
    plain = {"model": {"name": "classifier"}, "data": {"name": "drawn"}, "logger": logger}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(plain))
    (tmp_path / "manifest.json").write_text('{"id": "abc-s3-1f"}')
    return tmp_path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(wandb_results, "_row", lambda path, content: content["metrics"].items())
    return install(monkeypatch, None)


def show(run: Path, logger: LoggerConfig | None = None) -> None:
    show_results(run / "evaluations" / "evaluate-drawn-test-12.json", CONTENT, logger)


def test_a_measurement_joins_the_group_of_its_run(run: Path, fake: FakeWandb) -> None:
    show(run)
    (call,) = fake.calls
    assert (call["group"], call["job_type"], call["project"]) == ("mine", "evaluate", "faces")
    assert call["id"] == "abc-s3-1f-evaluate-drawn-test-12"
    assert call["tags"] == ["classifier", "drawn", "test"]
    assert call["config"]["model"] == {"name": "classifier"}
    assert call["config"]["protocol"] == CONTENT["protocol"]
    assert fake.offline.rows == [CONTENT["metrics"]]
    assert fake.offline.exit_code == 0


def test_a_logger_of_its_own_goes_first(run: Path, fake: FakeWandb) -> None:
    show(run, LoggerConfig(group="other", tags=["first try", "test"]))
    assert fake.calls[0]["group"] == "other"
    assert fake.calls[0]["tags"] == ["classifier", "drawn", "test", "first try"]
    fake.calls.clear()
    show(run, LoggerConfig(wandb=WandbMode.disabled))
    assert fake.calls == []


def test_what_was_measured_without_a_run_is_shown_on_demand(
    tmp_path: Path, fake: FakeWandb
) -> None:
    show(tmp_path)
    assert fake.calls == []
    show(tmp_path, LoggerConfig())
    assert fake.calls[0]["id"] == f"{tmp_path.name}-evaluate-drawn-test-12"


def test_a_run_that_has_lost_its_manifest_is_shown_by_its_folder(
    run: Path, fake: FakeWandb
) -> None:
    (run / "manifest.json").unlink()
    show(run)
    assert fake.calls[0]["id"] == f"{run.name}-evaluate-drawn-test-12"


def test_nothing_is_online_where_no_network_is_to_be_reached(
    run: Path,
    fake: FakeWandb,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (run / INDEX).write_text('{"archives": {}}')
    monkeypatch.setenv(VARIABLE, str(run))
    show(run, LoggerConfig(wandb=WandbMode.online))
    assert [call["mode"] for call in fake.calls] == ["offline"]
    assert f"{VARIABLE} is set, so W&B writes offline" in capsys.readouterr().err


def test_tables_hold_measures_and_classes() -> None:
    metrics: Any = CONTENT["metrics"]
    columns, rows = overall_table(metrics, CONTENT["intervals"])  # type: ignore[arg-type]
    assert (columns, rows) == (["measure", "value", "low", "high"], [["accuracy", 0.5, 0.4, 0.6]])
    columns, rows = class_table(metrics)
    assert columns == ["class", "recall", "f1"]
    assert rows == [["anger", 0.25, 0.3], ["fear", 0.75, None]]


def test_a_tag_has_to_fit() -> None:
    with pytest.raises(UserError, match=r"logger\.tags: '' has to have 1 to 64 characters"):
        LoggerConfig(tags=[""])
