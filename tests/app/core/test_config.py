"""Settings: from the environment, overridden by arguments, refused with name, value and what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core import config
from app.core.errors import SettingError


def test_the_environment_is_read_and_arguments_come_first() -> None:
    environment = {"BELLWETHER_PORT": "9000", "BELLWETHER_HOST": "::1", "BELLWETHER_IS_ROUTING": "off", "PORT": "1"}
    found = config.load(environment, host="127.0.0.1", instance=Path("elsewhere"))
    assert (found.port, found.host, found.is_routing) == (9000, "127.0.0.1", False)
    assert found.database == Path("elsewhere/bellwether.sqlite")
    assert config.load({}) == config.Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "eighty", "whole number"),
        ("PORT", "99999", "number from 0 to 65535"),
        ("PORT", "-1", "number from 0 to 65535"),
        ("ENGINE_THREADS", "0", "number from 1 to 256"),
        ("TICK_SECONDS", "nan", "number from 0.01 to 1e+09"),
        ("TICK_SECONDS", "soon", "number"),
        ("IS_ROUTING", "maybe", "truth value (1 or 0)"),
        ("ZONE", "Moon/Base", "time zone"),
        ("ZONE", "../etc/passwd", "time zone"),
        ("TRUSTED_PROXIES", "10.0.0.1, proxy", "list of addresses or networks"),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingError) as refused:
        config.load({f"BELLWETHER_{name}": value})
    assert refused.value.params["name"] == f"BELLWETHER_{name}"
    assert refused.value.params["expected"] == expected
    assert str(refused.value).startswith(f"BELLWETHER_{name} is ")


def test_an_argument_is_checked_too() -> None:
    with pytest.raises(SettingError):
        config.load({}, port=70_000)
    assert config.load({"BELLWETHER_PORT": "eighty"}, port=8001).port == 8001


def test_every_setting_has_a_row_with_its_help() -> None:
    rows = {name: (kind, default) for name, kind, default, text in config.table() if text}
    assert rows["BELLWETHER_PORT"] == ("int", "8000")
    assert len(rows) == len(config.table())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("BELLWETHER_PROT", "BELLWETHER_PROT is no setting. Did you mean BELLWETHER_PORT?"),
        ("BELLWETHER_ISROUTING", "BELLWETHER_ISROUTING is no setting. Did you mean BELLWETHER_IS_ROUTING?"),
        ("BELLWETHER_QQ", "BELLWETHER_QQ is no setting. `flask --app wsgi settings` lists them."),
    ],
)
def test_a_misspelt_setting_stops_the_start(name: str, sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        config.load({name: "a secret"})
    assert str(refused.value) == sentence


def test_names_that_training_reads_are_no_settings_of_the_app() -> None:
    assert config.load({"BELLWETHER_DATA": "/data", "PORT": "1"}) == config.Settings()
