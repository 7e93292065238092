"""W&B mirrors a run, and no trouble there ends it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fer_lightning.config.logger import LoggerConfig, WandbMode
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.runs import RunFolder


class FakeRun:
    """Keeps what is logged; knows rows up to ``known`` images, as a server would."""

    def __init__(self, known: int | None = None) -> None:
        self.resumed = known is not None
        self.summary = {} if known is None else {"images_seen": known}
        self.rows: list[dict[str, Any]] = []
        self.exit_code: int | None = None
        self.broken = False

    def define_metric(self, *args: Any, **kwargs: Any) -> None:
        pass

    def log(self, values: dict[str, Any]) -> None:
        if self.broken:
            raise OSError(28, "No space left on device")
        self.rows.append(values)

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


class FakeWandb:
    """Stands in for the package: ``online`` fails where there is no ``server``."""

    def __init__(self, server: FakeRun | None) -> None:
        self.server = server
        self.offline = FakeRun()
        self.calls: list[dict[str, Any]] = []
        self.Settings = type("Settings", (SimpleNamespace,), {"model_fields": {}})

    def teardown(self) -> None:
        self.calls.clear()

    def init(self, **arguments: Any) -> FakeRun:
        self.calls.append(arguments)
        if arguments["mode"] == "offline":
            return self.offline
        if self.server is None:
            raise ConnectionError("Network error: name or service not known")
        return self.server


def mirror(folder: Path, mode: WandbMode) -> WandbMirror:
    metrics = MetricsFile(folder / "metrics.csv")
    metrics.log_metrics({"a": 1.0}, step=10)
    metrics.log_metrics({"a": 2.0}, step=20)
    run = RunFolder(path=folder, identity={"seed": 3, "model": "cgan"})
    (folder / "manifest.json").write_text('{"id": "abc-s3-1f"}')
    return WandbMirror(run, LoggerConfig(wandb=mode, group="study"), {"seed": 3}, metrics)


def install(monkeypatch: pytest.MonkeyPatch, server: FakeRun | None) -> FakeWandb:
    fake = FakeWandb(server)
    monkeypatch.setitem(sys.modules, "wandb", fake)  # type: ignore[arg-type]
    return fake


def test_an_offline_run_is_written_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = install(monkeypatch, None)
    window = mirror(tmp_path, WandbMode.offline)
    window.open()
    window.log_metrics({"a": 3.0}, step=30)
    window.close(130)
    assert [row["images_seen"] for row in fake.offline.rows] == [10, 20, 30]
    assert fake.offline.exit_code == 130
    (call,) = fake.calls
    assert call["id"] == "abc-s3-1f"
    assert (call["group"], call["config"], call["resume"]) == ("study", {"seed": 3}, None)


def test_an_online_run_gets_what_its_server_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = FakeRun(known=10)
    fake = install(monkeypatch, server)
    window = mirror(tmp_path, WandbMode.online)
    window.open()
    assert [row["images_seen"] for row in server.rows] == [20]
    assert fake.calls[0]["resume"] == "allow"


def test_rows_that_are_trained_again_are_not_logged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that was killed goes back to its checkpoint; W&B has seen more than that."""
    server = FakeRun(known=30)
    install(monkeypatch, server)
    window = mirror(tmp_path, WandbMode.online)
    window.open()
    for step in (30, 40):
        window.log_metrics({"a": 3.0}, step=step)
    window.log_picture("samples", tmp_path / "none.png", 30)
    assert [row["images_seen"] for row in server.rows] == [40]


def test_without_a_server_it_goes_on_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = install(monkeypatch, None)
    window = mirror(tmp_path, WandbMode.online)
    window.open()
    assert [row["images_seen"] for row in fake.offline.rows] == [10, 20]
    said = capsys.readouterr().err
    assert "name or service not known" in said
    assert "wandb sync" in said


def test_a_full_disk_at_wandb_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = install(monkeypatch, None)
    window = mirror(tmp_path, WandbMode.offline)
    window.open()
    fake.offline.broken = True
    for step in (30, 40):
        window.log_metrics({"a": 3.0}, step=step)
    window.close(0)
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_disabled_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # type: ignore[arg-type]
    window = mirror(tmp_path, WandbMode.disabled)
    window.open()
    window.log_metrics({"a": 3.0}, step=30)
    window.log_picture("samples", tmp_path / "none.png", 30)
    window.close(0)
