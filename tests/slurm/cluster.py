"""A SLURM of one node, as root and without systemd, that leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fer_lightning.launchers.processes import dies_with_us
from fer_lightning.launchers.slots import core_count, free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel")
"""What Debian's slurm-wlm and munge bring; the first three stand in /usr/sbin."""

CONFIGURATION = """\
ClusterName=fer
SlurmctldHost=localhost
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=30
OverTimeLimit=1
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cores} Boards=1 SocketsPerBoard=1 \
CoresPerSocket={cores} ThreadsPerCore=1 RealMemory={memory} State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# cred_expire is also how long a job waits that was queued again, by default two minutes.
# SLURM looks at its limits twice a minute, and one look must not find both the time for the signal
# come and the limit passed: OverTimeLimit gives a job a minute more.


def missing() -> str | None:
    """Why there can be no cluster here, or None."""
    if os.name != "posix" or os.getuid() != 0:
        return "SLURM's daemons have to be started by root"
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    absent = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if absent:
        return f"no {', '.join(absent)}: apt-get install slurm-wlm munge"
    return None


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start a cluster, and stop it with all that runs on it.

    Args:
        folder: Where its files go.

    Yields:
        The environment variables by which commands find it.
    """
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(parents=True)
    host = socket.gethostname().partition(".")[0]  # hostname -s
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    first = free_port(())
    text = CONFIGURATION.format(
        folder=folder,
        host=host,
        cores=core_count(),
        memory=memory,
        ports=(first, free_port([first])),
    )
    (folder / "slurm.conf").write_text(text)
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    ours = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
    with ExitStack() as stack:
        stack.enter_context(_munge(folder / "munge", ours))
        stack.enter_context(_daemon("slurmctld", ["slurmctld", "-D", "-i"], folder, ours))
        stack.enter_context(_daemon("slurmd", ["slurmd", "-D", "-N", "localhost"], folder, ours))
        _until_idle(folder, ours)
        try:
            yield ours
        finally:
            subprocess.run(["scancel", "--user=root"], env={**os.environ, **ours}, check=False)
            _until_idle(folder, ours)


@contextmanager
def _munge(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """The daemon by which SLURM's programs know each other; with a key and a socket of its own."""
    key = folder / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    command = ["munged", "--foreground", "--force", f"--key-file={key}"]
    command += [f"--{name}={folder / name.partition('-')[0]}"
                for name in ("socket", "pid-file", "log-file", "seed-file")]  # fmt: skip
    with _daemon("munged", command, folder, environment):
        deadline = time.monotonic() + 30
        while not (folder / "socket").exists():
            assert time.monotonic() < deadline, (folder / "munged.out").read_text()
            time.sleep(0.1)
        yield


@contextmanager
def _daemon(
    name: str, command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[None]:
    with (folder / f"{name}.out").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for pytest, which then comes to our end
            preexec_fn=dies_with_us(),
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_idle(folder: Path, environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 60
    command = ["sinfo", "--noheader", "--format=%T"]
    while True:
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        if done.stdout.strip() == "idle":
            return
        logs = "".join(f.read_text()[-2000:] for f in folder.glob("slurm*.log"))
        assert time.monotonic() < deadline, f"{done.stdout}{done.stderr}{logs}"
        time.sleep(0.2)
