"""Hydra's Optuna sweeper over our jobs: the command of the page, with the versions that it names.

Where it is not installed, the test fetches it for its commands alone: it is a few small files.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from tests.conftest import REPOSITORY, Fer
from tests.helpers.small import small_archive

pytestmark = pytest.mark.slow
PAGE = REPOSITORY / "docs" / "running" / "search.md"
PLUGIN = "hydra_plugins.hydra_optuna_sweeper"
Search = Callable[..., CompletedProcess[str]]


def requirement() -> str:
    """What ``pip install 'fer_lightning[search]'`` adds; the rest of what that wants is here."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^search = \["([^"]+)"\]', text, re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the sweeper is, for PYTHONPATH; nothing if it is installed."""
    if find_spec("hydra_plugins") and find_spec(PLUGIN):
        return ""
    folder = tmp_path_factory.mktemp("packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    done = subprocess.run(
        [*pip, requirement()], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        pytest.skip(f"pip cannot install {requirement()}: {done.stderr.strip()[-300:]}")
    return str(folder)


def with_ours(packages: str) -> str:
    return f"{packages}:{REPOSITORY}" if packages else str(REPOSITORY)


@pytest.fixture
def search(fer: Fer, packages: str, tmp_path: Path) -> Search:
    """The page's first command with other settings behind it, on a few faces."""
    text = PAGE.read_text(encoding="utf-8")
    block = re.search(r"```console\n(fer train .+?)\n```", text, re.DOTALL)
    assert block
    words = shlex.split(block[1].replace("\\\n", " "))[1:]
    archive = small_archive(tmp_path / "faces", size=32, count=180).path
    small = [f"data.archive={archive}", "data.split.scheme=official", "trainer.max_images=64",
             "model.validation_images=32", "trainer.accelerator=cpu", "logger=csv"]  # fmt: skip

    def run(*more: str) -> CompletedProcess[str]:
        kept = {word.partition("=")[0]: word for word in (*words, *small, *more)}
        return fer(*kept.values(), PYTHONPATH=with_ours(packages))

    return run


def test_a_seeded_search_finds_the_same_twice(search: Search, tmp_path: Path) -> None:
    done = search("hydra.sweeper.n_trials=3")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "multirun" / ".hydra" / "optimization_results.yaml"
    found = yaml.safe_load(file.read_text())
    assert set(found["best_params"]) == {"model.lr", "model.dropout"}
    assert 0 <= found["best_value"] <= 1
    runs = sorted(path.name for path in (tmp_path / "multirun" / "train").glob("classifier-*"))
    assert len(runs) == 3
    file.unlink()
    again = search("hydra.sweeper.n_trials=3")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("this run is finished") == 3
    assert yaml.safe_load(file.read_text()) == found
    assert sorted(p.name for p in (tmp_path / "multirun" / "train").glob("classifier-*")) == runs


def test_a_search_without_an_objective_trains_nothing(search: Search, tmp_path: Path) -> None:
    done = search("objective=null", "hydra.sweeper.n_trials=2")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "a search needs something to go by: pass objective=NAME" in done.stderr
    assert not list((tmp_path / "multirun").glob("train/*"))


def test_a_job_that_measures_nothing_is_not_searched(fer: Fer, packages: str) -> None:
    done = fer("prepare", "-m", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=1", "data=drawn",
               "hydra.sweeper.n_jobs=1", "image_size=choice(16,32)",
               PYTHONPATH=with_ours(packages))  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "this job has no objective= that a search could go by" in done.stderr
    assert "evaluate, probe, train have one" in done.stderr
