"""``fer <job> [Hydra overrides]``: the command line.

It has no flags but Hydra's and ``--version``. Torch is imported by no line of this module, so that
``--help`` and an error in a key answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from fer_lightning import registry
from fer_lightning.errors import UserError, mendable

JOBS = {
    "corpora": "list the datasets that can be read, and their terms",
    "prepare": "cut the faces of a dataset into an archive",
    "train": "train a model (prepares what is missing)",
    "evaluate": "measure a trained model against real faces",
    "probe": "see how well simple classifiers read emotions and action units from features",
    "generate": "draw labelled samples from a trained model into an archive",
    "edit": "change the emotion of the faces in photographs",
    "study": "run every cell of a study, stage by stage",
    "prefetch": "lay ready what a study reads, for nodes without a network",
    "compare": "tables of runs, of a study, or of archives and what their detectors lost",
    "benchmark": "time pieces of work beside what one would otherwise do",
}


def conf_dir() -> Path:
    """The folder of configuration files: inside the wheel, or beside the package in a clone."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one job.

    Returns:
        The exit status: 0, 2 for a mistake that the user can mend, 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if arguments[0] == "--version":
        from fer_lightning import __version__

        print(f"fer_lightning {__version__}")
        return 0
    try:
        return _run(arguments[0], arguments[1:])
    except Exception as error:
        mistake = mendable(error)
        if mistake is None:
            raise
        print(f"fer: error: {mistake}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        goes_on = "" if arguments[0] == "benchmark" else "; the same command goes on where it was"
        print(f"fer: interrupted{goes_on}", file=sys.stderr)
        return 130


def _run(job: str, arguments: Sequence[str]) -> int:
    if job not in JOBS:
        import difflib

        near = difflib.get_close_matches(job, JOBS, n=1)
        hint = f"did you mean `fer {near[0]}`?" if near else f"choose from {', '.join(JOBS)}"
        raise UserError(f"there is no job {job!r}; {hint}")
    from fer_lightning.config.launch import launch

    return launch(job, arguments, conf_dir())


def _foreign_conf_dirs() -> list[Path]:
    """Folders of third parties' configuration; at most their top package is imported."""
    specs = (find_spec(entry.value) for entry in entry_points(group="fer_lightning.conf"))
    found = (spec.submodule_search_locations or [] for spec in specs if spec is not None)
    return [Path(place) for places in found for place in places]


def _help() -> str:
    lines = ["usage: fer <job> [key=value …] [-m] [--cfg job]", "", "jobs:"]
    lines += [f"  {name:<12}{what}" for name, what in JOBS.items()]
    folders = [conf_dir(), *_foreign_conf_dirs()]
    experiments, studies = (
        sorted(p.stem for f in folders for p in (f / group).glob("*.yaml"))
        for group in ("experiment", "study")
    )
    for title, key, names in (
        ("models", "model=", registry.models.names()),
        ("corpora", "data=", registry.corpora.names()),
        ("detectors", "detector=", registry.detectors.names()),
        ("feature networks", "feature=", registry.features.names()),
        ("experiments", "experiment=", experiments),
        ("studies", "study=", studies),
        ("benchmarks", "benchmark=", ["all", *registry.benchmarks.names()]),
    ):
        lines += ["", f"{title} ({key}…):", "  " + ", ".join(names)]
    lines += [
        "",
        "examples:",
        "  fer train experiment=demo",
        "  fer train model=cgan data=fer2013 data.root=DIR",
        "  fer train -m detector=mtcnn,whole_image",
        "  fer evaluate run=RUN split=test feature=pixels",
        "  fer probe run=RUN layer=discriminator.block4 data@test=folder test.root=DIR",
        "  fer generate run=RUN count=700",
        "  fer edit run=RUN image=photo.jpg emotion=happiness intensity=0.8",
        "  fer study study=smoke && fer compare study=smoke out=DIR",
        "",
        "`fer <job> --cfg job` prints every key of a job with its value; -m sweeps over values",
        f"separated by commas. Archives go to {os.environ.get('FER_ARCHIVES', 'archives')}/,"
        " runs to multirun/.",
    ]
    return "\n".join(lines)
