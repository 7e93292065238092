"""The pool runs all cells, some at a time, with small programs in place of jobs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_lightning.launchers.cells import Cell, Pool
from fer_lightning.launchers.slots import Slot
from fer_lightning.runs import JobResult

REPORTS = """
import json, os
with open(os.environ["FER_RESULT"], "w") as file:
    json.dump({"path": "run", "metrics": {"port": float(os.environ["MASTER_PORT"])}, "status": 0},
              file)
"""
COUNTS = (
    REPORTS
    + """
import pathlib, time
here = pathlib.Path("running", str(os.getpid()))
here.touch()
pathlib.Path("seen", here.name).write_text(str(len(list(here.parent.iterdir()))))
time.sleep(0.3)
here.unlink()
"""
)
WAITS = """
import pathlib, signal, sys, time
def stop(*_):
    print("saved")
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("ready-" + sys.argv[1]).touch()
time.sleep(120)
"""
DEAF = WAITS.replace("stop)", "signal.SIG_IGN)")


def cell(number: int, program: str) -> Cell:
    return Cell(number, f"seed={number}", [sys.executable, "-c", program, str(number)])


def slots(count: int) -> list[Slot]:
    return [Slot(number, (), 1) for number in range(count)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pool"


@pytest.fixture
def interrupt() -> Callable[..., None]:
    """Sends signals to this process once files are there."""

    def later(*steps: tuple[Callable[[], bool], signal.Signals]) -> None:
        def send() -> None:
            for condition, number in steps:
                while not condition():
                    threading.Event().wait(0.02)
                os.kill(os.getpid(), number)

        threading.Thread(target=send, daemon=True).start()

    return later


def test_all_run_and_never_more_than_there_are_slots(folder: Path, tmp_path: Path) -> None:
    for name in ("running", "seen"):
        (tmp_path / name).mkdir()
    outcomes = Pool(slots(2), folder).run([cell(i, COUNTS) for i in range(5)])
    assert [o.state for o in outcomes] == ["done"] * 5
    assert [o.cell.number for o in outcomes] == list(range(5))
    counts = [int(p.read_text()) for p in (tmp_path / "seen").iterdir()]
    assert len(counts) == 5
    assert max(counts) <= 2


def test_reports_are_read_and_cells_that_run_together_have_ports_of_their_own(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("running", "seen"):
        (tmp_path / name).mkdir()
    outcomes = Pool(slots(3), folder).run([cell(i, COUNTS) for i in range(3)])
    results = [o.result for o in outcomes if o.result is not None]
    assert [r.path for r in results] == [Path("run")] * 3
    assert len({r.metrics["port"] for r in results}) == 3


def test_failures_leave_the_others(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    programs = [
        "import sys; print('fer: error: seed=0: no'); print('more'); sys.exit(2)",
        "raise RuntimeError('our defect')",
        REPORTS,
        "import os; os.kill(os.getpid(), 9)",
        "import sys; sys.exit(3)",
        "import os; open(os.environ['FER_RESULT'], 'w').close()",
        "pass",
        "import os; os.kill(os.getpid(), 15)",
        f"{REPORTS}import sys; sys.exit('fer: error: diverged')",
    ]
    outcomes = Pool(slots(2), folder).run([cell(i, p) for i, p in enumerate(programs)])
    assert [o.state for o in outcomes] == [
        "failed", "failed", "done", "failed", "failed", "failed", "done", "stopped",
        "failed",
    ]  # fmt: skip
    errors = [o.error for o in outcomes]
    assert errors[0] == "seed=0: no"
    assert errors[1] == "RuntimeError: our defect"
    assert errors[3] == "ended by SIGKILL (out of memory?)"
    assert errors[4] == "exit status 3"
    assert "is no report" in errors[5]
    assert outcomes[2].result is not None
    assert outcomes[6].result is None
    assert errors[8] == "diverged"
    assert outcomes[8].result is not None  # its run folder
    assert "Traceback" in outcomes[1].log.read_text()
    said = capfd.readouterr()
    assert said.out == ""
    assert f"seed=2 → {folder}/2.log" in said.err
    assert "s: seed=0: no" in said.err


def test_the_error_is_found_at_the_end_of_a_long_log(folder: Path) -> None:
    program = "print('a' * 300_000); print('bar\\rfer: error: über'); raise SystemExit(2)"
    assert Pool(slots(1), folder).run([cell(0, program)])[0].error == "über"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_running_cells_save_and_starts_no_more(
    folder: Path, tmp_path: Path, interrupt: Callable[..., None], number: signal.Signals
) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    interrupt((lambda: len(list(tmp_path.glob("ready-*"))) == 2, number))
    pool = Pool(slots(2), folder)
    outcomes = pool.run([cell(i, WAITS) for i in range(3)])
    assert pool.interrupts == 1
    assert [o.state for o in outcomes] == ["stopped", "stopped", "waiting"]
    assert outcomes[0].log.read_text() == "saved\n"
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_second_interrupt_kills(
    folder: Path,
    tmp_path: Path,
    interrupt: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Pool(slots(1), folder)
    stops: list[bool] = []
    stop = pool._stop
    monkeypatch.setattr(pool, "_stop", lambda kill: (stop(kill), stops.append(kill))[0])
    interrupt(
        (lambda: (tmp_path / "ready-0").exists(), signal.SIGINT),
        (lambda: stops == [False], signal.SIGINT),
    )
    outcomes = pool.run([cell(0, DEAF)])
    assert stops == [False, True]
    assert outcomes[0].state == "stopped"


def test_a_pool_that_breaks_leaves_no_cell_behind(folder: Path, tmp_path: Path) -> None:
    missing = Cell(1, "seed=1", [str(tmp_path / "no-such-program")])
    pool = Pool(slots(2), folder)
    with pytest.raises(FileNotFoundError):
        pool.run([cell(0, "import time; time.sleep(120)"), missing])
    assert [r.process.returncode for r in pool._running] == [-signal.SIGTERM]


def test_a_cell_on_cores_is_given_its_threads(folder: Path) -> None:
    program = REPORTS.replace('"run"', '"a b"').replace("MASTER_PORT", "OMP_NUM_THREADS")
    outcome = Pool(slots(1), folder).run([cell(7, program)])[0]
    assert outcome.result == JobResult(Path("a b"), {"port": 1.0})
