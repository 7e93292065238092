"""``fer corpora``: the datasets that can be read, what they hold, and on which terms."""

from __future__ import annotations

import inspect
import textwrap
from itertools import zip_longest

from fer_lightning.config.schema import CorporaConfig
from fer_lightning.data.corpora.base import Corpus, Facts
from fer_lightning.registry import corpora

WIDTHS = (27, 17, 22, 8, 30)
"""Room for images, emotions, action units, subjects and terms, in characters."""


def run(config: CorporaConfig) -> None:
    """Print a table of all corpora, or everything about one.

    Raises:
        UserError: If there is no corpus of that name.
    """
    if config.corpus is not None:
        print(description(config.corpus, corpora.load(config.corpus)))
        return
    print(table({name: corpora.load(name) for name in corpora.names()}))
    print("\n`fer corpora corpus=NAME` says which layouts are read, and all keys of one.")


def table(classes: dict[str, type[Corpus]]) -> str:
    """Published datasets with images, emotions, action units, subjects and terms; then the rest.

    Args:
        classes: Name to class.
    """
    published = {name: one.facts for name, one in classes.items() if one.facts is not None}
    rows = [("data=", "images", "emotions", "action units", "subjects", "terms")]
    rows += [(name, *_cells(facts), facts.terms) for name, facts in published.items()]
    room = (max(map(len, classes)), *WIDTHS)
    lines = []
    for row in rows:
        wrapped = [textwrap.wrap(cell, width) for cell, width in zip(row, room, strict=True)]
        for parts in zip_longest(*wrapped, fillvalue=""):
            line = "  ".join(part.ljust(width) for part, width in zip(parts, room, strict=True))
            lines.append(line.rstrip())
    lines.append("")
    for name, one in classes.items():
        if one.facts is None:
            lines.append(f"{name.ljust(room[0])}  {summary(one)}")
    return "\n".join(lines)


def summary(corpus: type[Corpus]) -> str:
    """The first sentence of a corpus's description."""
    return " ".join((inspect.getdoc(corpus) or "").partition("\n\n")[0].split())


def description(name: str, corpus: type[Corpus]) -> str:
    """Facts, layouts, codes and keys of one corpus."""
    lines = [f"data={name}", ""]
    facts = corpus.facts
    if facts is not None:
        images, emotions, units, subjects = _cells(facts)
        lines = [f"{facts.title}: data={name}", ""]
        lines += [f"  images        {images}", f"  emotions      {emotions}"]
        lines += [f"  action units  {units}", f"  subjects      {subjects}"]
        lines += [f"  terms         {facts.terms}", f"  ask           {facts.source}", ""]
    if corpus.remark:
        lines += [textwrap.fill(corpus.remark, 100), ""]
    return "\n".join([*lines, inspect.getdoc(corpus) or ""])


def _cells(facts: Facts) -> tuple[str, str, str, str]:
    subjects = "?" if facts.subjects is None else f"{facts.subjects:,}"
    return facts.images, facts.emotions, facts.action_units or "-", subjects
