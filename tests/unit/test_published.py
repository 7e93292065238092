"""Published weights are fetched once, checked, and never where no network is to be reached."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fer_lightning.prefetched import INDEX, VARIABLE
from fer_lightning.published import Published
from tests.helpers.server import served

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()[:8]
NAME = f"net-{DIGEST}.pth"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(VARIABLE, raising=False)


def test_a_file_is_downloaded_once_and_copied_from_there(tmp_path: Path) -> None:
    with served({NAME: CONTENT}) as server:
        file = Published(NAME, f"{server.url}/{NAME}", DIGEST)
        cached = file.find()
        assert cached == tmp_path / "torch" / "hub" / "checkpoints" / NAME
        assert file.find() == cached
        laid = file.lay(tmp_path / "out")
        assert (laid, laid.read_bytes()) == (tmp_path / "out" / NAME, CONTENT)
        assert file.lay(tmp_path / "out") == laid
    assert server.asked == [f"/{NAME}"]


def test_a_file_is_laid_without_touching_the_cache(tmp_path: Path) -> None:
    with served({NAME: CONTENT}) as server:
        laid = Published(NAME, f"{server.url}/{NAME}", DIGEST).lay(tmp_path / "out")
    assert laid.read_bytes() == CONTENT
    assert not (tmp_path / "torch").exists()


def test_another_file_is_refused(tmp_path: Path) -> None:
    with served({NAME: b"something else"}) as server:
        file = Published(NAME, f"{server.url}/{NAME}", DIGEST)
        with pytest.raises(RuntimeError, match="invalid hash"):
            file.lay(tmp_path / "out")
        assert not (tmp_path / "out" / NAME).exists()


def test_no_network_is_reached_where_things_were_laid_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "weights").mkdir(parents=True)
    (tmp_path / "out" / INDEX).write_text('{"archives": {}}')
    monkeypatch.setenv(VARIABLE, str(tmp_path / "out"))
    with served({NAME: CONTENT}) as server:
        file = Published(NAME, f"{server.url}/{NAME}", DIGEST)
        with pytest.raises(OSError, match=f"{VARIABLE}=.* holds no such file, and no network"):
            file.find()
        (tmp_path / "out" / "weights" / NAME).write_bytes(CONTENT)
        assert file.find() == tmp_path / "out" / "weights" / NAME
    assert server.asked == []
