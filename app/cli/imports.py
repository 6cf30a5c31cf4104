"""The import of another desk's export, with a dry run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import click
from flask import current_app

from app.cli.shell import Command, services
from app.core.errors import InputError
from app.core.jobs import job_queue, job_rows
from app.core.jobs.job import Job
from app.core.permissions import SYSTEM
from app.desk.domain.import_file import Source, TicketFile
from app.desk.flows.imports import import_tickets
from app.desk.store import queues

PAUSE_S = 0.2


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "source", type=click.Choice(["zendesk", "chatwoot", "plain"]), help="Whose export it is.")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="What a column means; empty: left out.")
@click.option("--queue", "slug", help="Slug of the queue for tickets that name none of yours.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Count what would come in, and do nothing.")
def command(file: Path, source: Source | None, pairs: tuple[str, ...], slug: str | None, is_dry: bool) -> None:
    """Import tickets of a Zendesk, Chatwoot or plain export (CSV, JSON, JSON Lines); twice imports nothing twice."""
    found = import_tickets.add(services(), name=file.name, content=file.read_bytes(), viewer=SYSTEM)
    queue = None if slug is None else queues.find_by_slug(services().db, slug)
    if slug is not None and queue is None:
        raise InputError("unknown_queue", queue=slug)
    if source or pairs or queue:
        found = import_tickets.choose(
            services(),
            found.id,
            viewer=SYSTEM,
            mapping=_mapping(found, pairs),
            source=source or found.source,
            queue_id=None if queue is None else queue.id,
        )
    click.echo(f"Read as an export of: {found.source}")
    for name, column in found.mapping.items():
        click.echo(f"  {name} = {column}")
    if not is_dry:
        found = import_tickets.begin(services(), found.id, viewer=SYSTEM)
    _report(_wait_for(found.check_job_id if is_dry else found.import_job_id), is_dry=is_dry)


def _mapping(file: TicketFile, pairs: tuple[str, ...]) -> dict[str, str]:
    given = [pair.partition("=") for pair in pairs]
    return {**file.mapping, **{name.strip(): column.strip() for name, _, column in given}}


def _wait_for(job_id: int | None) -> Job:
    """Return the job once it has ended, done here or by a faster worker; earlier jobs are done before."""
    while True:
        job = job_rows.get(services().db, job_id or 0)
        if job.state in ("completed", "failed"):
            return job
        if not job_queue.run_due(services()):
            time.sleep(PAUSE_S)


def _report(job: Job, *, is_dry: bool) -> None:
    sentence = cast("Callable[[str, Any], tuple[str, str]]", current_app.extensions["bellwether.sentence"])
    for fault in job.errors:
        click.echo(f"Row {fault.row}: {sentence(fault.code, fault.params)[1]}", err=True)
    done = "would come in" if is_dry else "came in"
    click.echo(f"{job.n_done} {done}, {job.n_known} are here already, {job.n_failed} cannot be read.")
    if job.state == "failed":
        raise SystemExit(1)
