"""``fer benchmark``: pieces of work beside what one would otherwise do."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.benchmarks.comparison import SideBySide
from fer_lightning.benchmarks.report import as_json, machine, page, table
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.errors import UserError
from fer_lightning.fitting import log_to
from fer_lightning.registry import benchmarks
from fer_lightning.runs import JobResult, write_json, write_whole


def run(config: BenchmarkConfig) -> JobResult:
    """Measure, print each table when it is there, and write ``speed.md`` and ``speed.json``.

    Raises:
        UserError: If ``out`` is a file, or a benchmark cannot use what it was given.
    """
    out = (config.out or Path("multirun") / "benchmark" / config.benchmark).expanduser()
    if out.exists() and not out.is_dir():
        raise UserError(f"out={out} is a file; give a folder")
    out.mkdir(parents=True, exist_ok=True)
    log_to(out / "benchmark.log")
    measured_on = machine()
    results: list[SideBySide] = []
    for name in config.names:
        for result in benchmarks.load(name)(config):
            results.append(result)
            print(table(result), flush=True)
            write_whole(out / "speed.md", page(results, measured_on))
            write_json(out / "speed.json", as_json(results, measured_on))
    missed = sum(not goal.met for result in results for goal in result.goals)
    print(f"goals missed: {missed} of {sum(len(result.goals) for result in results)}")
    print(f"speed: {out / 'speed.md'}")
    return JobResult(path=out)
