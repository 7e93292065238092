"""Writes the configuration reference from the dataclasses that are the configuration.

A MkDocs hook: it appends every job, and every component of each group, to the page
``reference/configuration.md``. Types and defaults are the fields', descriptions their classes'
``Attributes:`` sections, so that a key without a description cannot hide.
"""

from __future__ import annotations

import enum
import inspect
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml
from omegaconf import MISSING as REQUIRED

from fer_lightning.cli import JOBS, conf_dir
from fer_lightning.config.registration import JOB_SCHEMAS
from fer_lightning.config.study import Study
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.features.base import FeatureConfig
from fer_lightning.launchers.pool import PoolConfig
from fer_lightning.models.config import ModelConfig
from fer_lightning.registry import REGISTRIES

PAGE = "reference/configuration.md"
GROUPS: dict[type[Any], str] = {
    Corpus: "data",
    DetectorConfig: "detector",
    ModelConfig: "model",
    FeatureConfig: "feature",
    Study: "study",
}
"""Classes whose keys depend on what is chosen, and so have sections of their own."""
TYPED = {"study_run": "study"}
"""Fields that have another name on the command line."""
WORDS = {
    int: "integer",
    float: "number",
    bool: "`true`, `false`",
    str: "text",
    Path: "path",
    types.NoneType: "`null`",
}
"""Types in words of the command line."""


def as_markdown(docstring: str) -> str:
    """A docstring with reStructuredText's roles and code as Markdown's code."""
    return re.sub(r"(?::\w+:)?(`+)([^`]+)\1", r"`\2`", docstring)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Append the generated part to the page that introduces it (called by MkDocs)."""
    return f"{markdown}\n\n{reference()}" if page.file.src_uri == PAGE else markdown


@dataclass(frozen=True, slots=True)
class Key:
    """A line of the reference.

    Attributes:
        name: Dotted, as on the command line.
        kind: What values it takes.
        default: Its default as one would write it, or ``required``.
        text: What it means.
    """

    name: str
    kind: str
    default: str
    text: str


def reference() -> str:
    """Every job and every component, as Markdown."""
    parts = ["## Jobs"]
    for job, schema in JOB_SCHEMAS.items():
        chosen = choices(job)
        parts += [f"### fer {job} {{ #job-{job} }}", f"{JOBS[job].capitalize()}."]
        if chosen:
            named = ", ".join(f"`{group}={choice}`" for group, choice in chosen.items())
            parts.append(f"Where the command chooses nothing else: {named}.")
        parts.append(table(keys_of(schema, chosen=chosen)))
    for registry in REGISTRIES:
        group = registry.config_group
        base = next(schema for schema, name in GROUPS.items() if name == group)
        parts += [f"## {group} {{ #{group} }}", summary(base)]
        if shared := list(keys_of(base, f"{group}.")):
            parts += [f"Every `{group}` block has", table(shared)]
        for name in registry.builtin:
            parts += component(group, name, registry.load(name), base)
    parts += ["## logger { #logger }", *files("logger")]
    parts += ["## study { #study }", summary(Study), table(keys_of(Study, "study."))]
    parts += ["## Pool { #pool }", "`hydra/launcher=pool` has"]
    parts.append(table(keys_of(PoolConfig, "hydra.launcher.")))
    parts += ["## Experiments { #experiments }", *files("experiment")]
    parts += ["## Studies that come with it { #studies }", *files("study")]
    return "\n\n".join(parts)


def component(group: str, name: str, schema: type[Any], base: type[Any]) -> list[str]:
    """Section of one choice of a group: the keys that it adds, and the defaults that it changes."""
    shared = {key.name: key.default for key in keys_of(base, f"{group}.")}
    own = [key for key in keys_of(schema, f"{group}.") if shared.get(key.name) != key.default]
    parts = [f"### {group}={name} {{ #{group}-{name} }}", text_of(schema)]
    parts.append(table(own) if own else f"It adds no key to those of every `{group}` block.")
    if preset := differences(conf_dir() / group / f"{name}.yaml"):
        parts.append(f"`conf/{group}/{name}.yaml` sets\n\n```yaml\n{preset}```")
    return parts


def keys_of(
    schema: type[Any],
    prefix: str = "",
    chosen: Mapping[str, str] = MappingProxyType({}),
    in_hash: bool = True,
) -> Iterator[Key]:
    """The keys of a configuration class, those of the blocks within it included.

    Args:
        schema: A dataclass.
        prefix: Dotted path that leads to it.
        chosen: Choices of groups, by key, that stand for defaults.
        in_hash: Whether its keys may name a run.
    """
    hints, meanings = get_type_hints(schema), descriptions(schema)
    for field in fields(schema):
        if field.name in ("name", "_target_") and schema is not Study:
            continue  # the choice itself
        hint, name = hints[field.name], prefix + TYPED.get(field.name, field.name)
        counts = in_hash and field.metadata.get("identity", True)
        text = meanings.get(field.name, "") + ("" if counts else " *Not in the hash.*")
        group = next((g for t, g in GROUPS.items() if t in (hint, *get_args(hint))), None)
        if group:
            slot = next((slot for slot in (name, f"{group}@{name}") if slot in chosen), None)
            value = f"`{chosen[slot]}`" if slot else default(field)
            yield Key(name, f"[{group}](#{group})", value, text)
        elif is_dataclass(hint) and isinstance(hint, type):
            yield from keys_of(hint, f"{name}.", in_hash=counts)
        else:
            yield Key(name, kind(hint), default(field), text)
            if block := value_block(hint):
                yield from keys_of(block, f"{name}.NAME.", in_hash=counts)
            if block := optional_block(hint):
                yield from keys_of(block, f"{name}.", chosen, counts)


def value_block(hint: Any) -> type[Any] | None:
    """The dataclass that a mapping holds under each name, if it holds one."""
    values = get_args(hint)[1:] if get_origin(hint) is dict else ()
    return next((v for v in values if isinstance(v, type) and is_dataclass(v)), None)


def optional_block(hint: Any) -> type[Any] | None:
    """The dataclass that stands where there is not nothing, such as two domains."""
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else ()
    return next((part for part in parts if is_dataclass(part)), None)


def kind(hint: Any) -> str:
    """A type in words of the command line."""
    if is_dataclass(hint):
        return "the keys below"
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(kind(part) for part in get_args(hint))
    if get_origin(hint) is list:
        return f"list: {kind(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return "mapping"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return ", ".join(f"`{choice.name}`" for choice in hint)
    return WORDS.get(hint, "value")


def default(field: Field[Any]) -> str:
    """A field's default as one would write it on the command line."""
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if value in (MISSING, REQUIRED):
        return "required"
    if isinstance(value, enum.Enum):
        return f"`{value.name}`"
    if isinstance(value, list):
        return f"`[{','.join(map(str, value))}]`"
    if value is None or isinstance(value, bool):
        return {None: "`null`", True: "`true`", False: "`false`"}[value]
    return f"`{value}`" if value != "" else "empty"


def descriptions(schema: type[Any]) -> dict[str, str]:
    """What the docstrings of a class and of those it extends say of each field."""
    found: dict[str, str] = {}
    for base in reversed(schema.__mro__):
        section = re.split(r"^Attributes:\n", documentation(base), flags=re.MULTILINE)[1:]
        for entry in re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", "".join(section), re.MULTILINE):
            found[entry[0]] = re.sub(r"\bNone\b", "`null`", " ".join(entry[1].split()))
    return found


def text_of(schema: type[Any]) -> str:
    """A class's docstring without its ``Attributes:``."""
    return re.split(r"^Attributes:\n", documentation(schema), flags=re.MULTILINE)[0].strip()


def summary(schema: type[Any]) -> str:
    """The first paragraph of :func:`text_of`."""
    return text_of(schema).split("\n\n")[0]


def documentation(schema: type[Any]) -> str:
    """A class's own docstring, with reStructuredText's code as Markdown's."""
    return as_markdown(inspect.cleandoc(schema.__dict__.get("__doc__") or ""))


def choices(job: str) -> dict[str, str]:
    """What a job chooses from each group where the command says nothing."""
    entries = yaml.safe_load((conf_dir() / f"{job}.yaml").read_text(encoding="utf-8"))["defaults"]
    pairs = [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]
    return {key: value or "null" for key, value in pairs if not re.match(r"/|override", key)}


def differences(path: Path) -> str:
    """What a component's YAML sets beside its schema."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    changed = [entry for entry in content.pop("defaults") if str(entry).count("override")]
    settings = {"defaults": changed, **content} if changed else content
    return str(yaml.safe_dump(settings, sort_keys=False)) if settings else ""


def files(group: str) -> Iterator[str]:
    """The files of a group as they stand."""
    for path in sorted((conf_dir() / group).glob("*.yaml")):
        yield f"### {group}={path.stem} {{ #{group}-{path.stem} }}"
        yield f"```yaml\n{path.read_text(encoding='utf-8').rstrip()}\n```"


def table(keys: Iterable[Key]) -> str:
    """Keys as a Markdown table."""
    lines = ["| key | values | default | meaning |", "|---|---|---|---|"]
    for key in keys:
        cells = (f"`{key.name}`", key.kind, key.default, key.text)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
