"""Turns Hydra's errors about overrides into one line that names key and remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf

from fer_lightning.config.plain import flatten

GROUPS = ("data", "detector", "model", "feature", "logger", "experiment")
"""Groups that jobs choose from."""


def explain(error: Exception, job: str, keys: Callable[[], Iterable[str]]) -> str:
    """Hydra's error about a job's overrides as one line that names key and remedy.

    Args:
        error: From composing the job's configuration.
        job: The job.
        keys: Finds the job's keys, if they are needed.
    """
    text = "\n".join(str(e) for e in _chain(error))
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return _unknown(unknown[1], job, list(keys()))
    if merging := re.search(r"Error merging override (.+)", text):
        reason = next((line for line in text.splitlines() if "alue '" in line), "")
        key, known = merging[1].partition("=")[0].lstrip("+"), list(keys())
        if not reason and key not in known:  # in a mapping of blocks, such as data.parts
            return _unknown(key, job, known)
        return f"{merging[1]}: {reason or 'the value does not fit the key'}"
    if several := re.search(r"Ambiguous value for argument '([^']+)'", text):
        return f"{several[1]}: several values are a sweep and need -m"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        options = list(error.options or [])
        near = difflib.get_close_matches(name, options, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(options)}"
        return f"{group}={name}: there is no such {group}; {hint}"
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override!r} cannot be read: {str(error).splitlines()[0]}. Write key=value; "
            "quote a value that holds any of , = [ ] ( ) { } as in \"key='…'\", and a list of "
            'paths as \'key=["…","…"]\''
        )
    return str(error)


def _unknown(key: str, job: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"`fer {job} --cfg job` prints all keys"
    return f"there is no key {key}; {hint}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def keys_of_job(job: str, overrides: Sequence[str], conf: Path) -> list[str]:
    """The keys of a job with the user's group choices, composed anew.

    Args:
        job: The job.
        overrides: The user's, of which those that choose count.
        conf: The folder of configuration files.
    """
    slots = slots_of(job, conf)
    chosen = choices_of(overrides, slots)
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base="1.3"):
        return keys_of(compose(job, overrides=chosen), slots)


def keys_of(composed: DictConfig, slots: Iterable[str] = GROUPS) -> list[str]:
    """All keys of a composed configuration, dotted, and its groups.

    Args:
        composed: The configuration.
        slots: Its groups.
    """
    plain: Any = OmegaConf.to_container(composed, resolve=False)
    keys = [name for name, _ in flatten(plain) if not name.endswith("name")]
    return [*keys, *slots]


def slots_of(job: str, conf: Path) -> dict[str, str | None]:
    """What a job lets choose, such as ``data`` or ``data@test``, and what stands there by default.

    Args:
        job: The job.
        conf: The folder of configuration files.
    """
    entries = yaml.safe_load((conf / f"{job}.yaml").read_text(encoding="utf-8"))["defaults"]
    pairs = [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]
    return {key: value for key, value in pairs if not re.match(r"/|override\b", key)}


def choices_of(overrides: Iterable[str], slots: Iterable[str]) -> list[str]:
    """The overrides that choose for a slot."""
    words = (override.partition("=") for override in overrides)
    return [f"{slot}={name}" for slot, _, name in words if slot in slots and name.isidentifier()]


def of_empty_slot(error: AssertionError) -> bool:
    """Whether these are Hydra's words for a key of a slot in which there is nothing."""
    return str(error).startswith("Unexpected type")


def nothing_chosen(job: str, overrides: Sequence[str], conf: Path) -> str:
    """For the first key of a slot in which nothing stands: what to choose there."""
    for slot in (slot for slot, value in slots_of(job, conf).items() if value is None):
        group, _, package = slot.partition("@")
        place = f"{package or group}."
        if key := next((o for o in overrides if o.lstrip("+").startswith(place)), None):
            return f"{key} needs a choice there: pass {slot}=NAME, too"
    return f"this is a key of what is not chosen; `fer {job} --cfg job` prints all keys"
