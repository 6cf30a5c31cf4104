"""An engine that opens its live model at the first text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from app.core.config import Settings
from app.core.engine_interface import Slot
from app.model.engine import loader
from app.model.engine.dispatch import Model
from app.model.engine.engine import Engine


class OpeningEngine(Engine):
    """The engine that opens its live model at the first text (or when `check` is called), from any thread."""

    def __init__(self, open_live: Callable[[], Model], **options: Any) -> None:
        super().__init__(None, **options)
        self._open_live = open_live
        self._opening = Lock()

    def model(self, slot: Slot = "live") -> Model:
        """Return the model in a slot, opened if it is the live one; raise ArtifactMissing or ArtifactDamaged."""
        if slot == "live" and not self.is_ready:
            with self._opening:
                if not self.is_ready:
                    self.swap(self._open_live())
        return super().model(slot)

    def check(self) -> None:
        """Open the live model if it is closed; raise NotReady with the reason when that fails."""
        self.model()


def open_engine(
    *,
    folders: Sequence[Path],
    live: Callable[[], str | None] = lambda: None,
    threads: int = Settings.engine_threads,
    **options: Any,
) -> OpeningEngine:
    """Return an engine over these artifact folders, with the options of `Engine`.

    `live` names the `name@version` in force, None the newest there is.
    """

    def open_live() -> Model:
        return loader.load(loader.find(folders, model=live()), threads=threads)

    def open_search() -> Any:
        return loader.load(loader.find(folders, kind="encoder"), threads=1)

    return OpeningEngine(open_live, search=open_search, **options)
