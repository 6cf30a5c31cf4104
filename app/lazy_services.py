"""Services that open at their first use: building the application touches neither the database nor the model."""

from __future__ import annotations

import logging
import threading
from typing import Any

from app.core import clock
from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.errors import BellwetherError, NotReady
from app.core.services import Policy, Services
from app.core.storage import private_files
from app.desk.flows import set_deadlines
from app.model.engine.opening import OpeningEngine, open_engine
from app.model.flows import deploy_model
from app.model.store import deployments

LONGEST_WARMING_S = 30.0
FOLLOW_MS = 30_000

log = logging.getLogger("bellwether")


class LazyServices(Services):
    """The services of one process: `db` and `engine` are opened when they are first read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._warming: threading.Thread | None = None
        self._followed_at = clock.now_ms()
        self.policy = Policy.of(settings)

    def __getattr__(self, name: str) -> Any:
        openers = {"db": self._open_database, "engine": self._open_engine}
        if name not in openers:
            raise AttributeError(name)
        with self._lock:
            if name not in vars(self):
                setattr(self, name, openers[name]())
            return vars(self)[name]

    def _open_database(self) -> Database:
        db, hour_ms = opened(self._settings), 3_600_000
        set_deadlines.install_default(
            db,
            first_response_ms=round(self._settings.sla_first_response_hours * hour_ms),
            resolution_ms=round(self._settings.sla_resolution_hours * hour_ms),
        )
        return db

    def _open_engine(self) -> OpeningEngine:
        settings = self._settings
        return open_engine(
            folders=self.policy.artifact_folders,
            live=self._live,
            threads=settings.engine_threads,
            queue=settings.engine_queue,
            wait_ms=settings.engine_wait_ms,
            cache=settings.engine_cache,
        )

    def _live(self) -> str | None:
        found = deployments.current(self.db)
        return None if found is None else found.model or None

    def warm(self) -> None:
        """Open the model in the background; a failure shows in the log and at /health/ready."""
        self._warming = threading.Thread(target=self._warm, name="warm", daemon=True)
        self._warming.start()

    def _warm(self) -> None:
        try:
            self.engine.model()
        except BellwetherError as error:
            log.warning("The model is not ready: %s %s", error.code, dict(error.params))

    def follow(self) -> None:
        """Swap, in the background and every `FOLLOW_MS`, to the model that another process has put live."""
        now = clock.now_ms()
        if "engine" in vars(self) and now - self._followed_at >= FOLLOW_MS:
            self._followed_at = now
            threading.Thread(target=self._follow, name="follow", daemon=True).start()

    def _follow(self) -> None:
        try:
            deploy_model.follow(self)
        except BellwetherError as error:
            log.warning("The live model cannot be opened: %s %s", error.code, dict(error.params))
        finally:
            self.db.release()

    def close(self) -> None:
        """Close what is open; waits for a model that is being opened: an interruption would crash the process."""
        if self._warming is not None:
            self._warming.join(LONGEST_WARMING_S)
        for name in ("engine", "db"):
            if name in vars(self):
                vars(self)[name].close()


def opened(settings: Settings) -> Database:
    """Open the database of an installation and close its folder to other accounts; raises NotReady."""
    try:
        private_files.private_folder(settings.instance)
        private_files.close_all(settings.instance)
    except OSError as error:
        raise NotReady("database_unusable", reason=str(error)) from error
    return open_database(settings.database)
