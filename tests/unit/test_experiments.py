"""Runs that a job starts from; the command that trains one is a script of ours here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import initialize_config_dir

from fer_lightning.cli import conf_dir
from fer_lightning.config.registration import register
from fer_lightning.errors import UserError
from fer_lightning.experiments import CHAIN, prepared_run

KEY = "model.classifier"


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let these lines of a shell script run in place of Python; $* is what Python was given."""
    script = folder / "python"
    script.write_text("\n".join(["#!/bin/sh", *lines]) + "\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.chdir(folder)


def test_a_folder_is_taken_as_it_is() -> None:
    for given in ("RUN", Path("~/a,b/experiments:c")):
        assert prepared_run(given, KEY) == Path(given)


def test_an_experiment_is_trained_by_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = json.dumps({"path": "multirun/train/made", "metrics": {}, "status": 0})
    stand_in(tmp_path, monkeypatch, 'echo "$*" > command', "env > environment",
             "echo Zoë trains", f"echo '{report}' > $FER_RESULT")  # fmt: skip
    # As of a rank of a training in a cell of a pool.
    for name in ("LOCAL_RANK", "FER_RANK", "WORLD_SIZE", "FER_RESULT"):
        monkeypatch.setenv(name, "1")
    for given in ("experiment:small", Path("experiment:small")):
        assert prepared_run(given, KEY) == Path("multirun/train/made")
    command = (tmp_path / "command").read_text(encoding="utf-8")
    assert command == "-m fer_lightning train experiment=small\n"
    lines = (tmp_path / "environment").read_text(encoding="utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    assert told[CHAIN] == "small"
    assert not told.keys() & {"LOCAL_RANK", "FER_RANK", "WORLD_SIZE"}
    said = capsys.readouterr()
    assert said.err.splitlines()[:2] == [
        "model.classifier=experiment:small: fer train experiment=small",
        "Zoë trains",
    ]
    assert not said.out


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["echo fer: error: seed=x: no number >&2", "exit 2"], "small: seed=x: no number"),
        (["echo 'fer: error: experiment=small: none such'", "exit 2"], "small: none such"),
        (["kill -9 $$"], r"small: ended by SIGKILL \(out of memory\?\)"),
        (["exit 0"], "named no run folder"),
    ],
)
def test_a_failure_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], told: str
) -> None:
    stand_in(tmp_path, monkeypatch, *lines)
    with pytest.raises(UserError, match=f"^feature.run=experiment:.*{told}"):
        prepared_run("experiment:small", "feature.run")


@pytest.fixture
def in_a_job() -> Iterator[None]:
    """As in the process of a job, whose configuration has been composed."""
    register()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield


@pytest.mark.usefixtures("in_a_job")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smoke_cgan", "trains model=cgan; give an experiment with model=classifier"),
        ("smok_classifier", ": there is no such experiment; did you mean smoke_classifier?"),
    ],
)
def test_another_model_is_refused_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    stand_in(tmp_path, monkeypatch, "touch trained")
    with pytest.raises(UserError) as caught:
        prepared_run(f"experiment:{name}", KEY, "classifier")
    assert str(caught.value).removeprefix(f"{KEY}=experiment:{name}").strip() == told
    assert not (tmp_path / "trained").exists()


@pytest.mark.usefixtures("in_a_job")
def test_the_model_that_is_needed_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = json.dumps({"path": "multirun/train/made", "metrics": {}, "status": 0})
    stand_in(tmp_path, monkeypatch, f"echo '{report}' > $FER_RESULT")
    for model in ("classifier", None):
        assert prepared_run("experiment:smoke_classifier", KEY, model).name == "made"


def test_what_the_user_stops_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "exit 130")
    with pytest.raises(KeyboardInterrupt):
        prepared_run("experiment:small", KEY)


@pytest.mark.parametrize("name", ["", " small", "a,b", "../small", "small seed=1"])
def test_a_name_that_can_be_none_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"give the name of an experiment"):
        prepared_run(f"experiment:{name}", KEY)


def test_an_experiment_that_needs_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHAIN, "one two")
    with pytest.raises(UserError, match=r"needs itself \(one → two → one\)"):
        prepared_run("experiment:one", KEY)
