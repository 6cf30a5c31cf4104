"""What every flow works with: the database, the engine, and the policy of this installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.db import Database
from app.core.engine_interface import EngineLike


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


@dataclass
class Services:
    """The services of one process."""

    db: Database
    engine: EngineLike
    policy: Policy
