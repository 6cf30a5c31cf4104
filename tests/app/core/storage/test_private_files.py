"""What an installation keeps is closed to other accounts, whatever the umask and whatever mode it had before."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import lazy_services
from app.core.config import load
from app.core.db import open_database
from app.core.services import Services
from app.core.storage import private_files, sealing
from app.web import security
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The umask that closes nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def test_database_journals_and_keys_are_of_this_account_alone(tmp_path: Path) -> None:
    settings = load({}, instance=tmp_path / "instance")
    db = lazy_services.opened(settings)
    security.secret_key(settings.instance)
    sealing.seal(Services(db=db, engine=FakeEngine(), policy=make_policy()), "hunter2")
    assert _modes(tmp_path) == {
        "instance": 0o700,
        "instance/bellwether.sqlite": 0o600,
        "instance/bellwether.sqlite-shm": 0o600,
        "instance/bellwether.sqlite-wal": 0o600,
        "instance/mail_key": 0o600,
        "instance/secret_key": 0o600,
    }
    db.close()


def test_what_stands_open_from_before_is_closed(tmp_path: Path) -> None:
    settings = load({}, instance=tmp_path / "instance")
    open_database(settings.database).close()
    model = settings.instance / "models" / "own-1.0"
    model.mkdir(parents=True)
    (model / "manifest.json").write_text("{}")
    outside = tmp_path / "elsewhere"
    outside.write_text("not ours")
    (settings.instance / "link").symlink_to(outside)
    for path in (settings.instance, *settings.instance.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else 0o666)
    lazy_services.opened(settings).close()
    found = _modes(tmp_path)
    assert found.pop("elsewhere") == found.pop("instance/link") == 0o666
    assert {name for name, mode in found.items() if mode & 0o077} == set()


def test_a_folder_of_many_is_left_alone_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with caplog.at_level(logging.WARNING):
        private_files.private_folder(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert "may be read by other accounts" in caplog.text


def test_the_first_of_several_makes_the_key(tmp_path: Path) -> None:
    made: list[str] = []
    numbers = iter(range(100))

    def ask() -> None:
        made.append(private_files.read_or_make(tmp_path / "key", lambda: f"key {next(numbers)}"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
