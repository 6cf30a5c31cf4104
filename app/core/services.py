"""The services of a process, which every flow works with: the database, the engine, and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.config import Settings
from app.core.db import Database
from app.core.engine_interface import EngineLike


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The settings that flows need; their defaults are those of `Settings`, and a name ends with the unit of its value.

    `languages` are the ISO 639-1 codes that the live model can read; `artifact_folders` are searched for artifacts.
    """

    intent_task: str
    languages: tuple[str, ...]
    is_routing: bool
    sla_first_response_hours: float
    sla_resolution_hours: float
    max_attachment_bytes: int
    max_mail_bytes: int
    mail_poll_ms: int
    fetch_minutes: int
    is_fetching_private: bool
    public_url: str
    zone: str
    locale: str
    artifact_folders: tuple[Path, ...]
    feed_folder: Path | None
    engine_threads: int
    deadline_ms: float = 3000

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """Return the policy of an installation with these settings."""
        return cls(
            intent_task=settings.intent_task,
            languages=tuple(code.strip() for code in settings.languages.split(",") if code.strip()),
            is_routing=settings.is_routing,
            sla_first_response_hours=settings.sla_first_response_hours,
            sla_resolution_hours=settings.sla_resolution_hours,
            max_attachment_bytes=settings.max_attachment_bytes,
            max_mail_bytes=settings.max_upload_bytes,
            mail_poll_ms=round(settings.mail_poll_seconds * 1000),
            fetch_minutes=settings.fetch_minutes,
            is_fetching_private=settings.is_fetching_private,
            public_url=settings.public_url,
            zone=settings.zone,
            locale=settings.locale,
            artifact_folders=(settings.models, settings.instance / "models"),
            feed_folder=settings.instance / "feeds",
            engine_threads=settings.engine_threads,
        )


@dataclass
class Services:
    """The services of one process."""

    db: Database
    engine: EngineLike
    policy: Policy
