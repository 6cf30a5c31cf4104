"""The duties of a worker, done once in the thread of a test."""

from __future__ import annotations

from app import worker
from app.core.services import Services


def run_once(services: Services) -> int:
    """Do every duty once, in order; returns the amount of work."""
    return sum(worker.perform(duty, services) for duty in worker.duties(tick_seconds=15.0))
