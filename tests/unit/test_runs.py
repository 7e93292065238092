"""A run folder knows which run it holds."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from fer_lightning import runs
from fer_lightning.errors import UserError
from fer_lightning.runs import ERROR, RunFolder, provenance, write_json, write_whole

IDENTITY: dict[str, Any] = {"model": {"width": 8}, "seed": 0, "archives": ["k"]}


def folder(path: Path, identity: dict[str, Any] = IDENTITY) -> RunFolder:
    return RunFolder(path=path, identity=identity)


def test_the_same_run_may_go_on(tmp_path: Path) -> None:
    folder(tmp_path / "run").start({"seed": 0}, force=False, archives=[])
    folder(tmp_path / "run").checkpoint.write_bytes(b"weights")
    folder(tmp_path / "run").start({"seed": 0}, force=False, archives=[])
    assert folder(tmp_path / "run").checkpoint.read_bytes() == b"weights"


def test_a_run_keeps_its_id_until_it_is_forced(tmp_path: Path) -> None:
    ids = []
    for force in (False, False, True):
        folder(tmp_path / "run").start({}, force=force, archives=[])
        ids.append(folder(tmp_path / "run").id)
    assert ids[0] == ids[1] != ids[2]
    folder(tmp_path / "twin").start({}, force=False, archives=[])
    assert folder(tmp_path / "twin").id not in ids
    assert "-s0-" in ids[0]


def test_another_run_is_refused_by_the_keys_that_differ(tmp_path: Path) -> None:
    folder(tmp_path / "run").start({}, force=False, archives=[])
    other = {"model": {"width": 16}, "seed": 0, "archives": ["k"]}
    with pytest.raises(UserError, match=r"model\.width \(8 there, 16 here\).*force=true"):
        folder(tmp_path / "run", other).start({}, force=False, archives=[])


def test_force_discards_what_a_run_wrote_and_nothing_else(tmp_path: Path) -> None:
    run = folder(tmp_path / "run")
    run.start({}, force=False, archives=[])
    run.checkpoint.write_bytes(b"weights")
    (run.path / "notes.txt").write_text("mine")
    write_json(run.results_file, {"images_seen": 5})
    other = folder(tmp_path / "run", {"seed": 1})
    other.start({}, force=True, archives=[])
    assert not other.checkpoint.exists()
    assert other.results() is None
    assert (run.path / "notes.txt").read_text() == "mine"
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["identity"] == {"seed": 1}


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files"):
        folder(tmp_path).start({}, force=True, archives=[])


def test_a_folder_says_why_its_training_failed_until_it_is_started_again(tmp_path: Path) -> None:
    run = folder(tmp_path)
    run.start({}, False, [])
    with pytest.raises(UserError) as mine, run.noting_failure():
        raise UserError("training diverged")
    assert mine.value.run == tmp_path
    assert (tmp_path / ERROR).read_text() == "training diverged\n"
    run.start({}, False, [])
    assert not (tmp_path / ERROR).exists()
    with pytest.raises(RuntimeError), run.noting_failure():
        raise RuntimeError("a defect of ours")
    assert (tmp_path / ERROR).read_text() == "RuntimeError('a defect of ours')\n"
    run.start({}, False, [])
    with pytest.raises(KeyboardInterrupt), run.noting_failure():
        raise KeyboardInterrupt
    assert not (tmp_path / ERROR).exists()


def test_a_full_disk_hides_no_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runs, "write_whole", full)
    run = folder(tmp_path)
    unwritable = pytest.raises(UserError, match=f"{tmp_path} cannot be written")
    with unwritable as told, run.noting_failure():
        full()
    assert told.value.run == tmp_path


def test_a_text_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    write_whole(file, "a\r\n")
    assert file.read_bytes() == b"a\r\n"
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "b\ud800")
    assert file.read_bytes() == b"a\r\n"


def test_provenance_is_plain_data() -> None:
    found = json.loads(json.dumps(provenance()))
    assert found["versions"]["torch"]
