"""What a command took is measured in whole, its children included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_lightning.benchmarks.growth import Cost, _memory, _table, run

HOLD = "import time; held = b'x' * (64 << 20); print('ready', flush=True); time.sleep(60)"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs hardware: Linux")
def test_memory_of_children_counts() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        whole = _memory(parent.pid)
        (child,) = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert 64 <= _memory(int(child)) < whole < 120
        subprocess.run(["kill", child], check=True)
    assert _memory(int(child)) == 0


def test_slopes_leave_out_what_a_start_costs() -> None:
    costs = [Cost(5 + 0.001 * count, 100.0 + count / 100) for count in (1_000, 10_000, 100_000)]
    result = _table("train", [1_000, 10_000, 100_000], costs)
    time_goal, memory_goal = result.goals
    assert time_goal.value == pytest.approx(1)
    assert time_goal.met
    assert memory_goal.value == pytest.approx(1100 / 110)
    assert not memory_goal.met
    assert "1.000, 1.000" in result.notes[-1]


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did you mean seed"):
        run(["train", "sed=3"], tmp_path)
