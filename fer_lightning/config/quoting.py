"""Quotes the values of path keys, so that any file name survives Hydra's override grammar.

Hydra reads ``data.root=Zoë (1)=a,b`` as a function call and a sweep. A path key is a field
annotated with ``Path`` in any registered schema; its value is a file name unless the user quoted
it, in which case Hydra's own rules apply.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from fer_lightning.config.plain import path_fields
from fer_lightning.errors import UserError

_OVERRIDE = re.compile(r"(\+{0,2})([A-Za-z_][\w.@/-]*)=(.*)", re.DOTALL)


def path_keys(schemas: Iterable[type[Any]]) -> dict[str, bool]:
    """Last segment of every key that holds paths, and whether it holds a list of them.

    Overrides of other jobs are lists that need the same care: ``train=[model.width=16]``.
    """
    keys: dict[str, bool] = {}
    for schema in schemas:
        keys |= path_fields(schema)
        keys |= {f.name: True for f in fields(schema) if "overrides" in f.metadata}
        for hint in get_type_hints(schema).values():
            nested = [t for t in (hint, *get_args(hint)) if isinstance(t, type) and is_dataclass(t)]
            keys |= path_keys(nested)
    return keys


def quote_paths(arguments: Sequence[str], keys: dict[str, bool]) -> list[str]:
    """Quote what is a path among command line arguments; leave everything else alone.

    Args:
        arguments: What follows the job's name, Hydra's flags included.
        keys: From :func:`path_keys`.

    Raises:
        UserError: If a list holds an element that only the user can quote.
    """
    sweep = any(argument in ("-m", "--multirun") for argument in arguments)
    return [_quote_argument(argument, keys, sweep) for argument in arguments]


def _quote_argument(argument: str, keys: dict[str, bool], sweep: bool) -> str:
    match = _OVERRIDE.fullmatch(argument)
    if match is None or match[2].rpartition(".")[2] not in keys:
        return argument
    plus, key, value = match.groups()
    if value == "null":
        return argument
    if not value:
        raise UserError(f"{key}= is empty: give a path, or null for none")
    if keys[key.rpartition(".")[2]]:
        values = _split(value) if sweep else [value]
        return f"{plus}{key}=" + ",".join(_quote_list(key, part) for part in values)
    values = _split_unquoted(value) if sweep else [value]
    return f"{plus}{key}=" + ",".join(quote(part) for part in values)


def quote(name: str) -> str:
    """``name`` as a quoted string of Hydra's grammar, unless it is one already."""
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        return name
    name = os.path.expanduser(name)
    # A backslash is itself except before a quote, at the end, or before an interpolation.
    escaped = re.sub(r"(\\*)'", lambda m: m[1] * 2 + "\\'", name)
    escaped = re.sub(r"(\\+)$", lambda m: m[1] * 2, escaped)
    escaped = re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", escaped)
    return f"'{escaped}'"


def _quote_list(key: str, text: str) -> str:
    if not (text.startswith("[") and text.endswith("]")):
        raise UserError(f"{key}={text}: give a list, {key}=[PATH,PATH]")
    inside = text[1:-1]
    if any(mark in inside for mark in "'\""):
        return text  # the user quotes, so Hydra's grammar holds for all of it
    if any(mark in inside for mark in "[]"):
        raise UserError(f'{key}={text}: write a path with a comma, bracket or quote as {key}=["…"]')
    return "[" + ",".join(quote(part) for part in inside.split(",") if part) + "]"


def _split_unquoted(text: str) -> list[str]:
    """Split at commas outside quotes."""
    return re.findall(r"""(?:'(?:\\.|[^'])*'|"(?:\\.|[^"])*")(?=,|$)|[^,]+""", text)


def _split(text: str) -> list[str]:
    """Split ``[a,b],[c]`` at commas outside brackets."""
    return re.split(r"(?<=\]),(?=\[)", text)
