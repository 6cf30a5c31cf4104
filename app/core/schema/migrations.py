"""The schema is its history: append-only steps, each applied once and remembered in the file itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from app.core.lean_imports import without
from app.core.schema import (
    alert_routing,
    asked_corrections,
    erasure_dates,
    external_ids,
    feed_dates,
    first,
    inbox_facets,
    lean_rows,
    lease_tables,
    mail_tables,
    market_tables,
    message_places,
    quarantine_tables,
    removed_macros,
    report_figures,
    session_tables,
    shadow_index,
    sla_tables,
    surge_tables,
    ticket_files,
    triage_tables,
)
from app.core.schema.table_rebuild import rebuild

with without("pandas"):
    from sqlite_utils import Database as Tables
    from sqlite_utils.migrations import Migrations

STEPS = Migrations("bellwether")


def _run(db: Tables, statements: Iterable[str]) -> None:
    for sql in statements:
        db.execute(sql)


@STEPS()
def m001_people(db: Tables) -> None:
    """Users, teams, tokens, sign-in links, events, idempotency keys."""
    _run(db, first.PEOPLE)


@STEPS()
def m002_desk(db: Tables) -> None:
    """Queues, tickets, messages, attachments, predictions, corrections."""
    _run(db, first.DESK)


@STEPS()
def m003_knowledge(db: Tables) -> None:
    """Macros, articles, passages with their vectors."""
    _run(db, first.KNOWLEDGE)


@STEPS()
def m004_market(db: Tables) -> None:
    """Feeds, posts, stories, entities, mentions, buckets, feedback."""
    _run(db, first.MARKET)


@STEPS()
def m005_work(db: Tables) -> None:
    """Rules, alerts, receivers, notifications, jobs, deployments."""
    _run(db, first.WORK)


@STEPS()
def m010_facets(db: Tables) -> None:
    """Counters and order keys behind every filter of the inbox."""
    _run(db, inbox_facets.FACETS)


@STEPS()
def m011_bulk(db: Tables) -> None:
    """The tickets of bulk jobs."""
    _run(db, inbox_facets.BULK)


@STEPS()
def m012_views(db: Tables) -> None:
    """Saved views."""
    _run(db, inbox_facets.VIEWS)


@STEPS()
def m020_recall(db: Tables) -> None:
    """When a reply may leave the house, and whether it was called back."""
    _run(db, triage_tables.RECALL)


@STEPS()
def m021_presence(db: Tables) -> None:
    """Who has which ticket open."""
    _run(db, triage_tables.PRESENCE)


@STEPS()
def m022_outcomes(db: Tables) -> None:
    """What agents did with the macros and drafts that were offered to them."""
    _run(db, triage_tables.OUTCOMES)


@STEPS()
def m023_routing(db: Tables) -> None:
    """Rules of conditions and actions, and which intents the model may route by itself."""
    _run(db, triage_tables.ROUTING)


@STEPS()
def m030_mail(db: Tables) -> None:
    """Mailboxes, the outbox with its attempts, and mail that could not be read."""
    _run(db, mail_tables.MAIL)


@STEPS()
def m040_evidence(db: Tables) -> None:
    """Why alerts were raised, and what people say of them."""
    _run(db, surge_tables.EVIDENCE)


@STEPS()
def m041_usual(db: Tables) -> None:
    """Kinds of rules with what they allow, what is usual of each subject, and the last hours of all."""
    _run(db, surge_tables.USUAL)


@STEPS()
def m050_routes(db: Tables) -> None:
    """Routes of receivers, and which alerts each was told of."""
    _run(db, alert_routing.ROUTES)


@STEPS()
def m051_alert_life(db: Tables) -> None:
    """Cool-down, notes of who acknowledged, and alerts that another speaks for."""
    _run(db, alert_routing.LIFE)


@STEPS()
def m052_feeds(db: Tables) -> None:
    """Languages of feeds, and when each is said to be silent."""
    _run(db, alert_routing.FEEDS)


@STEPS()
def m031_figures(db: Tables) -> None:
    """Figures of reports, kept by triggers from here on and counted once for what is there."""
    _run(db, report_figures.FIGURES)


@STEPS()
def m060_shadow(db: Tables) -> None:
    """What a model in shadow said, found by its name."""
    _run(db, shadow_index.SHADOW)


@STEPS()
def m032_sla(db: Tables) -> None:
    """SLA policies with business hours, pauses, and when a deadline comes near."""
    _run(db, sla_tables.POLICIES)


@STEPS()
def m033_erasure(db: Tables) -> None:
    """When a customer was erased."""
    _run(db, erasure_dates.ERASURE)


@STEPS()
def m070_asked(db: Tables) -> None:
    """Which corrections answer a question of the house."""
    _run(db, asked_corrections.ASKED)


@STEPS()
def m071_moving(db: Tables) -> None:
    """Exports of other desks, and rows of jobs that were there already."""
    _run(db, ticket_files.FILES)


@STEPS()
def m072_removed(db: Tables) -> None:
    """What became of macros that were removed, for when they come back."""
    _run(db, removed_macros.REMOVED)


@STEPS()
def m085_measured(db: Tables) -> None:
    """The false alarms that the whole dashboard may raise, and what rules would have raised over stored history."""
    _run(db, market_tables.MEASURED)


@STEPS()
def m086_own_topics(db: Tables) -> None:
    """Topics that analysts define by words, and the posts that have them."""
    _run(db, market_tables.OWN_TOPICS)


@STEPS()
def m087_dashboards(db: Tables) -> None:
    """Saved views of other places than the inbox."""
    _run(db, market_tables.DASHBOARDS)


@STEPS()
def m080_dates(db: Tables) -> None:
    """Feeds whose posts have a date and no time."""
    _run(db, feed_dates.DATES)


@STEPS()
def m088_feed_interval(db: Tables) -> None:
    """How often each feed is fetched."""
    _run(db, market_tables.FEED_INTERVAL)


@STEPS()
def m500_message_place(db: Tables) -> None:
    """Which ticket a message belongs to, without its text."""
    _run(db, message_places.MESSAGE_PLACE)


@STEPS()
def m600_topic_examples(db: Tables) -> None:
    """Topics by example."""
    _run(db, market_tables.TOPIC_EXAMPLES)


@STEPS(transactional=False)
def m700_lean_messages(db: Tables) -> None:
    """The cleaned text of a message by its body."""
    rebuild(db.conn, lean_rows.MESSAGES)


@STEPS()
def m701_numbered(db: Tables) -> None:
    """Labels, verdicts, nouns and deeds, each once."""
    _run(db, lean_rows.NUMBERED)


@STEPS(transactional=False)
def m702_lean_predictions(db: Tables) -> None:
    """Predictions by verdict, with packed probabilities."""
    rebuild(db.conn, lean_rows.PREDICTIONS)


@STEPS(transactional=False)
def m703_lean_events(db: Tables) -> None:
    """Events by deed, with values alone."""
    rebuild(db.conn, lean_rows.EVENTS)


@STEPS()
def m800_quarantine(db: Tables) -> None:
    """What could not be filed, with its raw form."""
    _run(db, quarantine_tables.QUARANTINE)


@STEPS()
def m810_sessions(db: Tables) -> None:
    """Who is signed in where, and failed sign-ins."""
    _run(db, session_tables.SESSIONS)


@STEPS()
def m820_answered(db: Tables) -> None:
    """Idempotency keys with their answers alone, and a row to try writing with."""
    _run(db, lease_tables.ANSWERED)


@STEPS()
def m821_leases(db: Tables) -> None:
    """Which process holds what it claimed."""
    _run(db, lease_tables.LEASES)


@STEPS()
def m822_wiping(db: Tables) -> None:
    """Whether words of erased customers are still to be wiped out of the file."""
    _run(db, erasure_dates.WIPING)


@STEPS(transactional=False)
def m840_external_ids(db: Tables) -> None:
    """Several tickets may have the same external id, each in the sight of others."""
    rebuild(db.conn, external_ids.external_ids(db.conn))


def pending(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The steps that a file has not seen, in their order."""
    return tuple(step.name for step in STEPS.pending(Tables(connection, execute_plugins=False)))


def unknown(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The steps that a file has seen and this program does not know: a newer one wrote it."""
    table = "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"
    if connection.execute(table).fetchone() is None:
        return ()
    ours = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id"
    known = set(pending(sqlite3.connect(":memory:")))
    return tuple(row[0] for row in connection.execute(ours, (STEPS.name,)) if row[0] not in known)


def migrate(connection: sqlite3.Connection, *, stop_before: str | None = None) -> None:
    """Apply what the file has not seen; two processes that start together do not harm each other."""
    tables = Tables(connection, execute_plugins=False)
    while n_pending := len(STEPS.pending(tables)):
        try:
            STEPS.apply(tables, stop_before=stop_before)
        except (sqlite3.OperationalError, sqlite3.IntegrityError):
            # Another process was faster with a step: what is left is still to be done.
            if len(STEPS.pending(tables)) == n_pending:
                raise
        else:
            return
