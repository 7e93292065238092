"""Groups records into configurations, and works out what differs between them."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_lightning.analysis.records import Record
from fer_lightning.analysis.statistics import Summary, summarize
from fer_lightning.config.study import ARM
from fer_lightning.errors import UserError

ABSENT = "\N{EN DASH}"
"""Shown where there is no value."""

LENGTH = "images_seen"
"""Key of a run's length, which is no part of its configuration."""

LABEL_LENGTH = 40
"""A configuration whose differing keys need more characters is called A, B, C …"""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One configuration with all its seeds.

    Attributes:
        name: Short, for headings.
        values: The differing keys that it has, with their values.
        records: By seed.
    """

    name: str
    values: Mapping[str, Any]
    records: tuple[Record, ...]

    @property
    def seeds(self) -> list[int]:
        """Its seeds, ascending; none where it is the same for all."""
        return [record.seed for record in self.records if record.seed is not None]

    @property
    def seedless(self) -> bool:
        """Whether it is the same for all seeds."""
        return not self.seeds

    @property
    def seeds_shown(self) -> str:
        """Its seeds as text."""
        return " ".join(map(str, self.seeds)) or "all"

    def summary(self, metric: str) -> Summary:
        """A metric over those of its seeds that have it."""
        return summarize(r.metrics[metric] for r in self.records if metric in r.metrics)

    def seconds(self) -> Summary:
        """Time of its trainings or probes."""
        return summarize(record.seconds for record in self.records)


def shown(value: Any) -> str:
    """A configuration's value as YAML writes it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def differing_keys(records: Sequence[Record]) -> list[str]:
    """Keys whose value, or presence, is not the same in all records: axes first.

    An arm says by its name what it changes, so records with arms are told apart by axes alone.
    The archives' hashes follow from a study's axes, or differ by seed where a study generates
    its data, so there they count only where nothing else tells two records of a seed apart. So
    does the number of images seen, which is no part of what a run is.

    Raises:
        UserError: If two records are the same experiment.
    """
    by_arm = all(ARM in record.axes for record in records)
    names = dict.fromkeys(k for r in records for k in r.axes)
    if not by_arm:
        names |= dict.fromkeys(k for r in records for k in r.config)
    in_study = any(record.axes for record in records)
    keys = [
        key
        for key in names
        if (by_arm and key == ARM)
        or (
            len({_value(record, key) for record in records}) > 1
            and not (in_study and key == "archives")
        )
    ]
    for further in ("archives", LENGTH):
        twins = _twins(records, keys)
        if twins and _value(twins[0], further) != _value(twins[1], further):
            keys.append(further)
    if twins := _twins(records, keys):
        places = " and ".join(str(record.sources[0].path) for record in twins)
        raise UserError(f"{places} are the same experiment with the same seed: leave one out")
    return keys


def same_length(records: Sequence[Record]) -> bool:
    """Whether runs have seen equally many images, but for a part of a batch.

    A run ends with the batch that reaches ``trainer.max_images``, so that runs of other batch
    sizes see a few more.
    """
    lengths = [record.images_seen for record in records]
    batches = [record.config.get("data.batch_size") for record in records]
    sizes = [size for size in batches if isinstance(size, int)]
    room = max(sizes) if len(set(batches)) > 1 and sizes else 1
    return max(lengths) - min(lengths) < room


def _value(record: Record, key: str) -> str:
    if key == LENGTH:
        return str(record.images_seen)
    return shown(record.config[key]) if key in record.config else ABSENT


def _signature(record: Record, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(_value(record, key) for key in keys)


def _twins(records: Sequence[Record], keys: Sequence[str]) -> tuple[Record, Record] | None:
    """Two records of one seed that ``keys`` do not tell apart."""
    seen: dict[tuple[Any, ...], Record] = {}
    for record in records:
        signature = (*_signature(record, keys), record.seed)
        if signature in seen:
            return seen[signature], record
        seen[signature] = record
    return None


def group(records: Sequence[Record], keys: Sequence[str]) -> list[Group]:
    """Records of one configuration together, in the order in which they were given."""
    together: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        together.setdefault(_signature(record, keys), []).append(record)
    members = [tuple(sorted(found, key=_by_seed)) for found in together.values()]
    values = [
        {key: found[0].images_seen if key == LENGTH else found[0].config[key]
         for key in keys if key == LENGTH or key in found[0].config}
        for found in members
    ]  # fmt: skip
    names = _names(members, values, keys)
    return [
        Group(name=name, values=own, records=found)
        for name, own, found in zip(names, values, members, strict=True)
    ]


def _by_seed(record: Record) -> int:
    return -1 if record.seed is None else record.seed


def _names(
    members: Sequence[tuple[Record, ...]], values: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> list[str]:
    """Short names: by axes where these suffice, by all differing keys, or else by letters."""
    if not keys:
        return ["all runs"]
    axes = [key for key in keys if any(key in record.axes for found in members for record in found)]
    for chosen in (axes, keys):
        short = _short(chosen)
        names = [
            ", ".join(_part(short[k], own[k]) if k in own else f"no {short[k]}" for k in chosen)
            for own in values
        ]
        fits = ARM in chosen or max(map(len, names)) <= LABEL_LENGTH
        if len(set(names)) == len(names) and fits:
            return names
    return [_letters(number) for number in range(len(members))]


def _part(key: str, value: Any) -> str:
    """A key and its value in a name; an arm has a name of its own."""
    return shown(value) if key == ARM else f"{key}={shown(value)}"


def sort_by_arm(groups: Sequence[Group], arms: Sequence[str]) -> list[Group]:
    """Groups in the order of their arms, as they were given within one; without arms, as given."""
    order = {arm: number for number, arm in enumerate(arms)}
    return sorted(groups, key=lambda group: order.get(group.values.get(ARM, ""), 0))


def _short(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key, or all of it where two end alike."""
    ends = [key.rpartition(".")[2] for key in keys]
    return {k: end if ends.count(end) == 1 else k for k, end in zip(keys, ends, strict=True)}


def _letters(number: int) -> str:
    """A to Z, then AA, AB and so on."""
    return ("" if number < 26 else _letters(number // 26 - 1)) + chr(ord("A") + number % 26)


def choose_metrics(
    records: Sequence[Record], wanted: Sequence[str], strict: bool = True
) -> tuple[list[str], list[str]]:
    """Names of the metrics to report, in order.

    Args:
        records: What was measured.
        wanted: Names; one stands also for its forms under several protocols, ``name[…]``, and
            ``name/*`` for the number of every class. Empty takes all.
        strict: Refuse a name that no record can have.

    Returns:
        The names, and those among ``wanted`` that no record has.

    Raises:
        UserError: If a name is unknown; gives the nearest.
    """
    known = list(dict.fromkeys(name for record in records for name in record.metrics))
    bases = list(dict.fromkeys(re.split(r"[/\[]", name)[0] for name in known))
    if not wanted:
        return known, []
    chosen: list[str] = []
    absent: list[str] = []
    for name in (n for one in wanted for n in _of_classes(one, known)):
        forms = [name] if name in known else [k for k in known if k.startswith(f"{name}[")]
        if not forms:
            absent.append(name)
            if strict and name.rpartition("@")[0] not in known:
                among = known if "/" in name or "[" in name else bases
                near = difflib.get_close_matches(name, among, n=3, cutoff=0.5)
                there = f"there are {', '.join(bases) or 'none'}"
                hint = f"did you mean {' or '.join(near)}?" if near else there
                raise UserError(f"metrics: no run has measured {name}; {hint}")
        chosen += forms or [name]
    return list(dict.fromkeys(chosen)), absent


def _of_classes(wanted: str, known: Sequence[str]) -> list[str]:
    """``name/*`` as the numbers of all classes; any other name as it is."""
    if not wanted.endswith("/*"):
        return [wanted]
    classes = (name.partition("[")[0] for name in known if name.startswith(wanted[:-1]))
    return list(dict.fromkeys(classes)) or [wanted]


def csv_rows(
    groups: Sequence[Group], keys: Sequence[str], metrics: Sequence[str]
) -> list[dict[str, Any]]:
    """One row a configuration: what differs, its seeds, images, time and metrics.

    ``images_seen`` is the least of its seeds; numbers are not rounded; what is absent is empty.
    """
    rows: list[dict[str, Any]] = []
    for one in groups:
        row: dict[str, Any] = {k: shown(one.values[k]) if k in one.values else "" for k in keys}
        row["seeds"] = one.seeds_shown
        row["images_seen"] = min(record.images_seen for record in one.records)
        row["images_seen_max"] = max(record.images_seen for record in one.records)
        row["seconds_mean"], row["seconds_sd"] = one.seconds().mean, one.seconds().sd
        for metric in metrics:
            summary = one.summary(metric)
            for part in ("mean", "sd", "n", "low", "high"):
                row[f"{metric}_{part}"] = getattr(summary, part)
        rows.append(row)
    return rows
