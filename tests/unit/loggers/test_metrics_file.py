"""metrics.csv: every row once, columns that grow, and a way back to a checkpoint."""

from __future__ import annotations

import csv
from pathlib import Path

from fer_lightning.loggers.metrics_file import MetricsFile


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_columns_grow_and_rows_stay(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "metrics.csv")
    log.log_metrics({"a": 1.5}, step=10)
    log.log_metrics({"b": 2.0, "a": 3.0}, step=20)
    assert table(log.path) == [["images_seen", "a", "b"], ["10", "1.5", ""], ["20", "3.0", "2.0"]]


def test_another_process_extends_the_file(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "metrics.csv").log_metrics({"a": 1.0, "b": 2.0}, step=1)
    MetricsFile(tmp_path / "metrics.csv").log_metrics({"b": 3.0}, step=2)
    assert table(tmp_path / "metrics.csv")[1:] == [["1", "1.0", "2.0"], ["2", "", "3.0"]]


def test_rewinding_forgets_what_will_be_logged_again(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "metrics.csv")
    for step in (10, 20, 30):
        log.log_metrics({"a": step}, step=step)
    log.rewind(20)
    assert [row["images_seen"] for row in log.rows()] == ["10", "20"]
    log.log_metrics({"a": 30}, step=30)
    assert [row["a"] for row in log.rows()] == ["10", "20", "30"]
