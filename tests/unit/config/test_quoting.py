"""Any file name survives Hydra's grammar; everything else passes unchanged."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from fer_lightning.config.generate import GenerateConfig
from fer_lightning.config.quoting import Kind, path_keys, quote_paths
from fer_lightning.config.schema import TrainConfig
from fer_lightning.config.study import StudyConfig
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.errors import UserError

KEYS = {
    "root": Kind.PATH,
    "archive": Kind.PATH,
    "extra": Kind.PATHS,
    "train": Kind.OVERRIDES,
}

NAMES = [
    "Zoë (1)=a,b.jpg",
    "a'b",
    "a\\'b",
    "ends\\",
    "ends\\\\",
    "${oc.env:HOME}",
    "\\${x}",
    "[a]",
    "{a:1}",
    " spaces around ",
    "~~tilde",
    "a&b;c|d",
    'a"b',
    "1e3",
    "true",
    "é%#!@^*+=?<>",
    "'",
]


def parsed(argument: str) -> object:
    """The value as a job would receive it."""
    override = OverridesParser.create().parse_override(argument)
    config = OmegaConf.create({"root": None})
    OmegaConf.update(config, "root", override.value(), merge=True)
    return config.root


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_arrives_as_it_was_typed(name: str) -> None:
    (argument,) = quote_paths([f"data.root={name}"], KEYS)
    assert parsed(argument) == name


def test_user_quotes_hand_the_value_to_hydra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "/there")
    (argument,) = quote_paths(["data.root='${oc.env:PLACE}/x'"], KEYS)
    assert parsed(argument) == "/there/x"


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/zoe")
    (argument,) = quote_paths(["data.root=~/faces"], KEYS)
    assert parsed(argument) == "/home/zoe/faces"


def test_what_is_no_path_is_left_alone() -> None:
    arguments = ["-m", "model.latent_dim=1,2", "data=fer2013", "--cfg", "job", "data.root=null"]
    assert quote_paths(arguments, KEYS) == arguments


def sweep_values(argument: str) -> list[object]:
    override = OverridesParser.create().parse_override(argument)
    return list(override.sweep_string_iterator())


def test_a_comma_separates_jobs_in_a_sweep_unless_quoted() -> None:
    _, argument = quote_paths(["-m", "data.root=a b,'c,d',e(1)"], KEYS)
    assert sweep_values(argument) == ["'a b'", "'c,d'", "'e(1)'"]


def test_list_elements_are_quoted() -> None:
    (argument,) = quote_paths(["data.extra=[a b,c(1)=2]"], KEYS)
    value = OverridesParser.create().parse_override(argument).value()
    assert [str(getattr(v, "text", v)) for v in value] == ["a b", "c(1)=2"]


def test_a_quoted_list_is_left_to_hydra() -> None:
    assert quote_paths(['data.extra=["a,b","c"]'], KEYS) == ['data.extra=["a,b","c"]']


def test_a_bracket_in_a_list_needs_the_users_quotes() -> None:
    with pytest.raises(UserError, match=r'data\.extra=\["…"\]'):
        quote_paths(["data.extra=[a[1],b]"], KEYS)


def test_no_list_where_one_is_needed() -> None:
    with pytest.raises(UserError, match=r"give a list"):
        quote_paths(["data.extra=a"], KEYS)


def values(argument: str) -> list[str]:
    """The list that a job would receive."""
    override = OverridesParser.create().parse_override(argument)
    config = OmegaConf.create({"train": None})
    OmegaConf.update(config, "train", override.value(), merge=True)
    return list(config.train)


@pytest.mark.parametrize(
    "overrides",
    [
        ["trainer.max_images=10", "logger=csv"],
        ["data.emotions=[fear,anger]", "trainer.max_images=10"],
        ["data.labels={joy: happiness, fury: anger}", "a.b=[[1,2],[3]]"],
        ["data.root='a b, c'", "+model.extra=1"],
        ['data.root="it\'s [here"', "a=1"],
        ["data.root=/my faces/x (1)", "a=null"],
        ["data.extra=['a,b',c]"],
        ["data.root=it's", "data.root=${oc.env:HOME}/x"],
        ["data.root=C:\\faces\\"],
        [],
    ],
    ids=str,
)
def test_overrides_of_other_jobs_arrive_as_they_were_typed(overrides: list[str]) -> None:
    (argument,) = quote_paths([f"train=[{','.join(overrides)}]"], KEYS)
    assert values(argument) == overrides


def test_quoted_overrides_are_left_to_hydra() -> None:
    typed = """train=[ "data.root='a b'", 'a=1' , b=2 ]"""
    (argument,) = quote_paths([typed], KEYS)
    assert argument == """train=["data.root='a b'",'a=1','b=2']"""
    assert values(argument) == ["data.root='a b'", "a=1", "b=2"]


def test_lists_of_overrides_are_swept() -> None:
    _, argument = quote_paths(["-m", "train=[a=[1,2]],[b=[[3],[4]],c=5]"], KEYS)
    assert sweep_values(argument) == ["['a=[1,2]']", "['b=[[3],[4]]','c=5']"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a=1", r"give a list, train=\[KEY=VALUE,KEY=VALUE\]"),
        ("[a=[1,b=2]", r"'\]' has no other half"),
        ("[a=1],b=2]", r"'\]' has no other half"),
        ("[a={1]]", r"'\]' has no other half"),
        ("", "train= is empty"),
    ],
)
def test_a_list_of_overrides_that_is_none(typed: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        quote_paths([f"train={typed}"], KEYS)


def test_path_keys_come_from_the_schemas() -> None:
    keys = path_keys([TrainConfig, GenerateConfig, Corpus])
    paths = dict.fromkeys(("root", "archive", "run_dir", "run"), Kind.PATH)
    assert keys == {**paths, "extra": Kind.PATHS}
    assert path_keys([StudyConfig]) == {"train": Kind.OVERRIDES}
