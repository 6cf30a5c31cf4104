"""What every flow works with: the database, the engine, and the policy of this installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.db import Database
from app.model.engine import loader
from app.model.engine.dispatch import Lane, Model
from app.model.engine.engine import Engine, Request, Result, Slot


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The settings that flows need; times in the unit that the name says.

    `languages` are the ISO 639-1 codes that the live model can read; `artifact_folders` are searched for artifacts.
    """

    intent_task: str = "commerce_intent"
    languages: tuple[str, ...] = ("en",)
    is_routing: bool = True
    sla_first_response_hours: float = 8.0
    sla_resolution_hours: float = 48.0
    max_attachment_bytes: int = 10_000_000
    max_mail_bytes: int = 64_000_000
    mail_poll_ms: int = 60_000
    max_batch: int = 1000
    fetch_minutes: int = 10
    is_fetching_private: bool = False
    public_url: str = "http://127.0.0.1:8000"
    zone: str = "UTC"
    locale: str = "en"
    deadline_ms: float = 3000
    artifact_folders: tuple[Path, ...] = ()
    feed_folder: Path | None = None
    engine_threads: int = 2


class EngineLike(Protocol):
    """What flows ask of an engine; `app.model.engine.engine.Engine` is the real one."""

    @property
    def is_ready(self) -> bool:
        """A live model is open."""

    @property
    def n_waiting(self) -> int:
        """Texts in the queue."""

    @property
    def tasks(self) -> Mapping[str, Any]:
        """Tasks of the live model by name, each with `role`, `kind` and `labels`."""

    def classify(
        self,
        requests: Sequence[Request],
        *,
        lane: Lane = "interactive",
        deadline_ms: float | None = None,
        slot: Slot = "live",
        is_patient: bool = True,
    ) -> list[Result]:
        """Answers in the order of the requests; raises Overloaded, DeadlineExceeded, TaskMissing, NotReady."""

    def explain(
        self, text: str, *, task: str, target: tuple[int, int] | None = None, deadline_ms: float | None = None
    ) -> Any:
        """Which words made the live model answer so."""

    def embed(self, texts: Sequence[str], *, is_patient: bool = True) -> NDArray[np.float32]:
        """Vectors of unit length [n, h] of the search encoder; raises NotReady when there is none, Overloaded."""

    def model(self, slot: Slot = "live") -> Model:
        """The model in a slot; raises NotReady when it is empty."""

    def swap(self, model: Model | None, *, slot: Slot = "live") -> Model | None:
        """Put an open model into a slot; returns the one before."""


class OpeningEngine(Engine):
    """The engine that opens its live model at the first text (or when `check` is called), from any thread."""

    def __init__(self, open_live: Callable[[], Model], **options: Any) -> None:
        super().__init__(None, **options)
        self._open_live = open_live
        self._opening = Lock()

    def model(self, slot: Slot = "live") -> Model:
        """The model in a slot, opened if it is the live one; raises ArtifactMissing or ArtifactDamaged."""
        if slot == "live" and not self.is_ready:
            with self._opening:
                if not self.is_ready:
                    self.swap(self._open_live())
        return super().model(slot)

    def check(self) -> None:
        """Open the live model if it is not; raises NotReady with the reason when that fails."""
        self.model()


def open_engine(
    *,
    folders: Sequence[Path],
    live: Callable[[], str | None] = lambda: None,
    threads: int = 2,
    queue_limit: int = 60_000,
    wait_ms: float = 2.0,
    cache_size: int = 20_000,
) -> OpeningEngine:
    """An engine over these artifact folders; `live` names the `name@version` in force, None the newest there is."""

    def open_live() -> Model:
        return loader.load(loader.find(folders, model=live()), threads=threads)

    def open_search() -> Any:
        return loader.load(loader.find(folders, kind="encoder"), threads=1)

    return OpeningEngine(open_live, search=open_search, queue=queue_limit, wait_ms=wait_ms, cache=cache_size)


@dataclass
class Services:
    """The services of one process."""

    db: Database
    engine: EngineLike
    policy: Policy
