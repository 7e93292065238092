"""GPUs or cores become slots, and a slot an environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_lightning.errors import UserError
from fer_lightning.launchers import slots
from fer_lightning.launchers.slots import (
    INHERITED,
    Slot,
    cell_environment,
    core_count,
    free_port,
    make_slots,
    visible_gpus,
)

WHOLE = """GPU 0: NVIDIA A100 (UUID: GPU-aaa)
GPU 1: NVIDIA A100 (UUID: GPU-bbb)"""
CUT = """GPU 0: NVIDIA A100 (UUID: GPU-aaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-111)
  MIG 3g.20gb     Device  1: (UUID: MIG-222)
GPU 1: NVIDIA A100 (UUID: GPU-bbb)"""

Smi = Callable[..., None]


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Smi:
    """Puts a false ``nvidia-smi`` first on PATH."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def install(text: str, status: int = 0) -> None:
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] && echo '{text}'\nexit {status}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")

    return install


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(slots, "core_count", lambda: 8)


@pytest.mark.parametrize(
    ("value", "gpus"),
    [
        ("0,1,2", ["0", "1", "2"]),
        ("3", ["3"]),
        (" 5 , 4", ["5", "4"]),
        ("GPU-8932f937,MIG-1b2c/3/0", ["GPU-8932f937", "MIG-1b2c/3/0"]),
        ("", []),
        ("-1", []),
        ("0,-1,1", ["0"]),
        ("NoDevFiles", []),
    ],
)
def test_the_gpus_that_the_user_left_visible(
    monkeypatch: pytest.MonkeyPatch, smi: Smi, value: str, gpus: list[str]
) -> None:
    smi(WHOLE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ("text", "status", "gpus"),
    [
        (WHOLE, 0, ["0", "1"]),
        (CUT, 0, ["MIG-111", "MIG-222", "1"]),
        ("No devices found.", 0, []),
        ("NVIDIA-SMI has failed because it could not talk to the driver", 9, []),
    ],
)
def test_the_gpus_that_nvidia_smi_lists(smi: Smi, text: str, status: int, gpus: list[str]) -> None:
    smi(text, status)
    assert visible_gpus() == gpus


def test_a_machine_without_the_tool_has_no_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == []


@pytest.mark.parametrize(
    ("wanted", "devices"),
    [
        ((None, 2, 1), [("0",), ("1",), ("MIG-2",)]),
        ((2, 2, 1), [("0",), ("1",)]),
        ((4, 2, 1), [("0",), ("1",), ("MIG-2",), ("0",)]),
        ((None, 2, 2), [("0", "1")]),
        ((2, 2, 2), [("0", "1"), ("0", "1")]),
    ],
)
def test_gpus_are_shared_out(
    monkeypatch: pytest.MonkeyPatch,
    wanted: tuple[int | None, int, int],
    devices: list[tuple[str, ...]],
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,MIG-2")
    made = make_slots(*wanted)
    assert [slot.devices for slot in made] == devices
    assert [slot.number for slot in made] == list(range(len(devices)))


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(
    ("wanted", "count"),
    [((None, 2, 1), 4), ((None, 2, 2), 2), ((None, 3, 1), 2), ((None, 16, 1), 1), ((9, 2, 1), 9)],
)
def test_cores_are_shared_out(wanted: tuple[int | None, int, int], count: int) -> None:
    assert make_slots(*wanted) == [Slot(number, (), wanted[1]) for number in range(count)]


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(
    ("wanted", "name"),
    [((0, 2, 1), "slots=0"), ((None, -1, 1), "threads_per_cell=-1"), ((1, 2, 0), "devices_per_")],
)
def test_impossible_numbers_are_named(wanted: tuple[int | None, int, int], name: str) -> None:
    with pytest.raises(UserError, match=rf"hydra\.launcher\.{name}"):
        make_slots(*wanted)


def test_more_gpus_a_cell_than_there_are_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(UserError, match=r"devices_per_cell=3: there are 2 GPUs"):
        make_slots(None, 2, 3)


def test_there_is_a_core() -> None:
    assert core_count() >= 1


def test_the_tasks_of_a_run_have_cores_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots.os, "sched_getaffinity", lambda process: {4, 5}, raising=False)
    monkeypatch.setattr(slots.os, "cpu_count", lambda: 8)
    monkeypatch.setenv("SLURM_NTASKS", "3")
    assert core_count() == 2  # they may belong to anything
    monkeypatch.setenv("FER_TASKS", "notes")
    assert core_count() == 6
    monkeypatch.setenv("SLURM_NTASKS", "5")  # so they are not bound to two cores each
    assert core_count() == 8


def test_a_cell_on_a_gpu_sees_that_one_and_keeps_its_threads() -> None:
    inherited = {"CUDA_VISIBLE_DEVICES": "0,MIG-2", "OMP_NUM_THREADS": "7", "HOME": "/h"}
    environment = cell_environment(Slot(1, ("MIG-2",), 2), 4242, Path("r.json"), inherited)
    assert environment["CUDA_VISIBLE_DEVICES"] == "MIG-2"
    assert environment["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in environment
    assert environment["HOME"] == "/h"
    assert environment["MASTER_PORT"] == "4242"
    assert Path(environment["FER_RESULT"]) == Path.cwd() / "r.json"


def test_a_cell_on_cores_takes_its_share_and_joins_no_other_run() -> None:
    inherited = dict.fromkeys(INHERITED, "1") | {"OMP_NUM_THREADS": "64", "FER_RESULT": "ours"}
    environment = cell_environment(Slot(0, (), 3), 4242, Path("/r.json"), inherited)
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "3"
    assert environment["FER_RESULT"] == "/r.json"
    assert not set(INHERITED) & environment.keys()
    assert "CUDA_VISIBLE_DEVICES" not in environment


def test_no_two_cells_are_given_one_port() -> None:
    taken: set[int] = set()
    for _ in range(50):
        port = free_port(taken)
        assert port not in taken
        taken.add(port)
