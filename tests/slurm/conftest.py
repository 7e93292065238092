"""A cluster for the tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import cluster, missing


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A SLURM of one node: the variables by which commands find it. Where none can be, a skip."""
    why = missing()
    if why is not None and os.environ.get("CI") == "true":
        pytest.fail(f"CI has to run these tests: {why}")
    if why is not None:
        pytest.skip(f"needs hardware: a cluster ({why})")
    with cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


Start = Callable[[list[str]], "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path, slurm: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder on a machine with a cluster."""
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    # Bit for bit alike are runs with as many threads alone.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts ``fer`` with arguments; what is left of it and of its jobs ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(arguments: list[str]) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "fer_lightning", *arguments],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    subprocess.run(["scancel", "--user=root"], check=True)
