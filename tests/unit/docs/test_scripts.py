"""The batch scripts of the page on SLURM: their commands are ones that ``fer`` understands."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.conftest import REPOSITORY, Fer

PAGE = REPOSITORY / "docs" / "running" / "slurm.md"
SCRIPTS = dict(re.findall(r'```bash title="(.+?)"\n(.+?)```', PAGE.read_text("utf-8"), re.DOTALL))


@pytest.mark.parametrize("name", ["train.sh", "pool.sh"])
def test_bash_can_read_it(name: str) -> None:
    subprocess.run(["bash", "-n"], input=SCRIPTS[name], text=True, check=True)


@pytest.mark.parametrize("name", ["train.sh", "pool.sh"])
def test_its_command_composes(fer: Fer, name: str) -> None:
    (line,) = re.findall(r"^srun fer (.+)$", SCRIPTS[name], re.MULTILINE)
    line = line.replace("-m ", "").replace("seed=0,1,2,3", "seed=3")  # one cell of the sweep
    done = fer(*line.split(), "--cfg", "job")
    assert done.returncode == 0, done.stderr
    assert "name: fer2013" in done.stdout
    assert ("\nseed: 3\n" in done.stdout) == (name != "train.sh")


def test_it_is_queued_again_when_it_was_stopped_and_only_then() -> None:
    (last,) = re.findall(r"^case .+$", SCRIPTS["train.sh"], re.MULTILINE)
    for status, queued in ((0, False), (1, False), (2, False), (130, True), (143, True)):
        script = f"scontrol() {{ echo $*; }}\nSLURM_JOB_ID=7\n(exit {status})\n{last}\n"
        done = subprocess.run(["bash"], input=script, text=True, capture_output=True, check=True)
        assert (done.stdout == "requeue 7\n") is queued
