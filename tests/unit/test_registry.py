"""Registries: lazy, greppable, open to third parties."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fer_lightning import registry
from fer_lightning.errors import UserError


@pytest.mark.parametrize("known", [registry.corpora, registry.detectors, registry.models])
def test_every_name_leads_to_a_class_of_that_name(known: registry.Registry) -> None:
    for name in known.names():
        assert known.load(name)().name == name


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'fer2013'"):
        registry.corpora.load("fer2012")


def test_configuration_needs_no_torch() -> None:
    code = (
        "import sys; from fer_lightning.config import compose, launch; launch.register(); "
        "assert not {'torch', 'lightning', 'pyarrow', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
