"""What is submitted, with programs in place of SLURM's."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from fer_lightning.cli import main
from fer_lightning.launchers import slurm
from fer_lightning.launchers.slurm import watch
from fer_lightning.launchers.slurm.orders import read_orders
from tests.conftest import Fer
from tests.helpers.imports import imported
from tests.unit.launchers.slurm.test_queue import program

SWEEP = ["train", "-m", "hydra/launcher=slurm", "hydra.launcher.account=faces",
         "hydra.launcher.partition=gpu", "logger=csv"]  # fmt: skip
SUBMITS = """\
flock --nonblock $(dirname $(dirname $(dirname $1)))/.lock true && exit 1
folder=$(dirname $(dirname $1))
cp $1 $(dirname $folder)/$(ls $(dirname $folder) | wc -l).sh
for index in 0 1 2; do
    echo '{"path": "made", "metrics": {}, "status": 0}' > $folder/$index.json
    echo '{"status": 0, "error": ""}' > $folder/$index.ended.json
done
echo Submitted batch job 7"""
"""An sbatch whose jobs are done at once."""
STUDY = """
name: two
seeds: [0, 1]
stages:
  train: {job: train, overrides: [experiment=smoke_cgan]}
"""


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs before all others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watch, "PAUSE", 0.05)
    folder = tmp_path / "bin"
    for name, text in (("sbatch", SUBMITS), ("srun", "exit 1"), ("squeue", "exit 0")):
        program(folder, name, text)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def scripts() -> list[str]:
    """What was submitted, in its order."""
    return [f.read_text() for f in sorted(Path("multirun/.hydra/slurm").glob("*.sh"))]


def test_cells_become_an_array_with_a_task_and_a_gpu_for_each_device(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main([*SWEEP, "seed=0,1", "trainer.devices=2"]) == 0
    (script,) = scripts()
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.+))?$", script, re.MULTILINE))
    assert options | {"job-name": "", "output": ""} == {
        "account": "faces", "array": "0-1%2", "cpus-per-task": "4", "gpus-per-node": "2",
        "job-name": "", "mem": "16GB", "nodes": "1", "ntasks-per-node": "2",
        "open-mode": "append", "output": "", "partition": "gpu", "requeue": "",
        "signal": "USR2@120", "time": "240", "wckey": "submitit",
    }  # fmt: skip
    assert options["job-name"].startswith("train-")
    assert "export SRUN_CPUS_PER_TASK=" in script
    orders = list(read_orders(Path("multirun/.hydra/slurm")))
    assert [one.command[-3:] for one in orders] == [
        ["logger=csv", f"seed={seed}", "trainer.devices=2"] for seed in (0, 1)
    ]
    errors = capfd.readouterr().err
    assert "#1 submitted with 2 tasks: seed=1 → " in errors
    assert "fer: 2 of 2 cells done" in errors


@pytest.mark.slow
def test_cells_that_need_other_things_are_other_arrays() -> None:
    needs = ["trainer.devices=1,2", "trainer.accelerator=cpu,auto", "hydra.launcher.timeout_min=9"]
    assert main([*SWEEP, *needs]) == 0
    found = [re.findall(r"--(?:gpus|ntasks)-per-node=(\d)", script) for script in scripts()]
    assert found == [["1"], ["1", "1"], ["2"], ["2", "2"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("hydra.launcher.tasks_per_node=3",
         r"hydra\.launcher\.tasks_per_node=3, but trainer\.devices=2"),
        ("hydra.launcher.gpus_per_node=1",
         r"hydra\.launcher\.gpus_per_node=1, but trainer\.devices=2"),
        ("hydra.launcher.nodes=2", r"hydra\.launcher\.nodes=2: .*leave it at 1"),
        ("hydra.launcher.signal_delay_s=14400", r"signal_delay_s=14400 is no time within "),
        ("hydra.launcher.partitoin=gpu", r"no key hydra\.launcher\.partitoin"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(
    given: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*SWEEP, "trainer.devices=2", given]) == 2
    assert re.search(rf"^fer: error: .*{told}", capfd.readouterr().err, re.MULTILINE)
    assert scripts() == []


@pytest.mark.slow
def test_what_slurm_refuses_is_told(programs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(programs, "sbatch", "echo sbatch: error: invalid partition specified: gpu >&2; exit 1")
    assert main([*SWEEP, "seed=0,1"]) == 2
    told = capfd.readouterr().err
    assert "invalid partition specified: gpu): change hydra.launcher.*" in told


def test_without_slurm_the_pool_is_named(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(SWEEP) == 2
    assert "there is no sbatch here" in capfd.readouterr().err


def test_without_the_plugin_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    launchers = ConfigStore.instance().repo["hydra"]["launcher"]
    monkeypatch.setitem(launchers, "submitit_slurm.yaml", launchers["submitit_slurm.yaml"])
    monkeypatch.setitem(sys.modules, "fer_lightning.launchers.slurm.launcher", None)
    monkeypatch.setattr(slurm, "PLUGINS", ("hydra_plugins", "submitit", "fer_lightning"))
    assert main(SWEEP) == 2
    assert "pip install 'fer_lightning[slurm]'" in capfd.readouterr().err


@pytest.mark.slow
def test_what_lives_in_the_queue_is_not_submitted_again(
    programs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    left = SUBMITS.replace("0 1 2", "1")  # Ctrl-C came while the first one ran
    program(programs, "sbatch", left)
    program(programs, "squeue", "[ -f asked ] || { touch asked; kill -INT $PPID; }; sleep 0.1")
    assert main([*SWEEP, "seed=0,1"]) == 130
    assert "go on in the queue" in capfd.readouterr().err
    first, second = read_orders(Path("multirun/.hydra/slurm"))
    assert first.read_end() is None
    assert second.read_end() == (0, "")
    program(programs, "sbatch", SUBMITS)
    lives = f"echo '7_0|RUNNING|None|{first.name}'"
    ends = f"cp {second.ended} {first.ended} || cp {second.collected} {first.ended}"
    program(programs, "squeue", f"{lives}; {ends}")
    assert main([*SWEEP, "seed=0,1,2"]) == 0
    told = capfd.readouterr().err
    assert "#0 is known to SLURM from an earlier start: seed=0" in told
    assert "fer: 3 of 3 cells done" in told
    again = list(read_orders(Path("multirun/.hydra/slurm")))
    assert [one.command[-1] for one in again].count("seed=0") == 1


@pytest.mark.slow
def test_the_submitting_process_imports_no_torch(fer: Fer, tmp_path: Path) -> None:
    (tmp_path / "mine" / "study").mkdir(parents=True)
    (tmp_path / "mine" / "study" / "two.yaml").write_text(STUDY)
    arguments = ["study", "study=two", "hydra/launcher=slurm", "--config-dir", "mine"]
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "results.json").write_text(json.dumps({"images_seen": 2000}))
    done = fer(*arguments, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 cells are done" in done.stdout
    assert "submitit" in imported(done.stderr)
    assert "torch" not in imported(done.stderr)
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "made", "mine", "multirun"}
