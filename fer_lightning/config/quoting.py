"""Quotes the values of path keys, so that any file name survives Hydra's override grammar.

Hydra reads ``data.root=Zoë (1)=a,b`` as a function call and a sweep. A path key is a field
annotated with ``Path`` in any registered schema; its value is a file name unless the user quoted
it, in which case Hydra's own rules apply. Overrides of other jobs, ``train=[model.width=16]``, are
quoted one by one for the same reason.
"""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from fer_lightning.config.plain import path_fields
from fer_lightning.errors import UserError

_OVERRIDE = re.compile(r"(\+{0,2})([A-Za-z_][\w.@/-]*)=(.*)", re.DOTALL)
_PIECE = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|.""", re.DOTALL)
_CLOSING = {"[": "]", "{": "}", "(": ")"}


class Kind(enum.Enum):
    """What a key holds that needs quotes."""

    PATH = "a path"
    PATHS = "a list of paths"
    OVERRIDES = "a list of overrides"


def path_keys(schemas: Iterable[type[Any]]) -> dict[str, Kind]:
    """Last segment of every key that holds paths or overrides of other jobs."""
    keys: dict[str, Kind] = {}
    for schema in schemas:
        lists = path_fields(schema)
        keys |= {name: Kind.PATHS if many else Kind.PATH for name, many in lists.items()}
        keys |= {f.name: Kind.OVERRIDES for f in fields(schema) if "overrides" in f.metadata}
        for hint in get_type_hints(schema).values():
            nested = [t for t in (hint, *get_args(hint)) if isinstance(t, type) and is_dataclass(t)]
            keys |= path_keys(nested)
    return keys


def quote_paths(arguments: Sequence[str], keys: Mapping[str, Kind]) -> list[str]:
    """Quote what is a path among command line arguments; leave everything else alone.

    Args:
        arguments: What follows the job's name, Hydra's flags included.
        keys: From :func:`path_keys`.

    Raises:
        UserError: If a list holds an element that only the user can quote.
    """
    sweep = any(argument in ("-m", "--multirun") for argument in arguments)
    return [_quote_argument(argument, keys, sweep) for argument in arguments]


def _quote_argument(argument: str, keys: Mapping[str, Kind], sweep: bool) -> str:
    match = _OVERRIDE.fullmatch(argument)
    if match is None or match[2].rpartition(".")[2] not in keys:
        return argument
    plus, key, value = match.groups()
    if value == "null":
        return argument
    kind = keys[key.rpartition(".")[2]]
    if not value:
        raise UserError(f"{key}= is empty: give {kind.value}, or null for none")
    if kind is Kind.OVERRIDES:
        values = _split_nested(key, value) if sweep else [value]
        return f"{plus}{key}=" + ",".join(_quote_overrides(key, part) for part in values)
    if kind is Kind.PATHS:
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


def _quote_overrides(key: str, text: str) -> str:
    if not (text.startswith("[") and text.endswith("]")):
        raise UserError(f"{key}={text}: give a list, {key}=[KEY=VALUE,KEY=VALUE]")
    overrides = (part.strip() for part in _split_nested(key, text[1:-1]))
    return "[" + ",".join(quote(part) for part in overrides if part) + "]"


def _split_nested(key: str, text: str) -> list[str]:
    """Split at commas outside quotes and brackets.

    Raises:
        UserError: If a bracket has no other half.
    """
    parts, closing = [""], ""
    for piece in _PIECE.findall(text):
        if piece == "," and not closing:
            parts.append("")
            continue
        parts[-1] += piece
        if piece in _CLOSING:
            closing = _CLOSING[piece] + closing
        elif piece in _CLOSING.values():
            if not closing.startswith(piece):
                closing = piece
                break
            closing = closing[1:]
    if closing:
        raise UserError(f"{key}={text}: {closing[0]!r} has no other half; quote what holds it")
    return parts


def _split_unquoted(text: str) -> list[str]:
    """Split at commas outside quotes."""
    return re.findall(r"""(?:'(?:\\.|[^'])*'|"(?:\\.|[^"])*")(?=,|$)|[^,]+""", text)


def _split(text: str) -> list[str]:
    """Split ``[a,b],[c]`` at commas outside brackets."""
    return re.split(r"(?<=\]),(?=\[)", text)
