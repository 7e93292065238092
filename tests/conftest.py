"""Fixtures that all tests share: real data where it is, and the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.warm import Warm

REPOSITORY = Path(__file__).resolve().parent.parent
ABSENT = ("needs hardware: ", "real data: ")
"""Reasons that .ci/run accepts for a skip: what the test needs is not there."""

Fer = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real test data, or a skip."""
    folder = Path(os.environ.get("FER_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data: no folder {folder}; set FER_TEST_DATA")
    return folder


def real_file(path: Path) -> Path:
    """A file of the real data, or a skip."""
    if not path.is_file():
        pytest.skip(f"real data: no file {path}")
    return path


def _unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    real_file(archive)
    folder = tmp_path_factory.mktemp(archive.name.split(".")[0])
    shutil.unpack_archive(archive, folder)
    return next(folder.iterdir())


@pytest.fixture(scope="session")
def fer2013_root(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FER-2013 in the Kaggle folder layout: holds train/ and test/."""
    return _unpacked(real_data / "fer2013.tar.xz", tmp_path_factory)


@pytest.fixture(scope="session")
def muxspace_root(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,993 photographs: holds images/ and legend.csv."""
    return _unpacked(real_data / "muxspace.tar", tmp_path_factory)


@pytest.fixture(autouse=True)
def _own_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the repository or sees another's archives."""
    monkeypatch.setenv("FER_ARCHIVES", str(tmp_path / "archives"))
    monkeypatch.delenv("FER_DATA", raising=False)
    # Left by W&B in this process: a command that a test starts would write by our service, and
    # end before its files are whole.
    monkeypatch.delenv("WANDB_SERVICE", raising=False)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """The process from which :func:`fer` starts commands."""
    server = Warm()
    yield server
    server.close()


@pytest.fixture
def fer(tmp_path: Path, warm: Warm) -> Fer:
    """Runs the real command in a process of its own, in an empty folder."""

    def run(
        *arguments: str, cwd: Path = tmp_path, timeout: float = 300, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        whole = {**os.environ, **environment}
        if warm.serves(whole):
            return warm.run(arguments, cwd, whole, timeout)
        return subprocess.run(
            [sys.executable, "-m", "fer_lightning", *arguments],
            cwd=cwd,
            env=whole,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def pytest_configure() -> None:
    """A shell starts what runs in the background deaf to Ctrl-C, and so would be every command."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Under .ci/run a needless skip is a failure; so is one for lack of data where CI is set."""
    yield
    if os.environ.get("FER_NO_NEEDLESS_SKIP") != "1":
        return
    allowed = ABSENT[:1] if os.environ.get("CI") == "true" else ABSENT
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    needless = [r for r in skipped if not any(reason in str(r.longrepr) for reason in allowed)]
    if needless and session.exitstatus == 0:
        reporter.write_line(f"{len(needless)} tests were skipped that had what they need", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
