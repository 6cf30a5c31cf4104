"""Entities: the companies that are watched, kept one by one or as a list."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass

from app.core import changes
from app.core.db import Transaction
from app.core.errors import Conflict, NotFound
from app.core.nouns import Fields, Noun
from app.core.permissions import Viewer
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.market.domain.market import Entity
from app.market.sources import company_list
from app.market.store import companies


class EntityNoun(Noun[Entity]):
    """Companies; posts that came before a change keep their mentions."""

    name = "entity"
    permission = "feeds:write"
    fields = frozenset({"ticker", "name", "sector", "aliases", "ambiguous", "competitors"})
    needed = ("ticker", "name")
    unique = "ticker"
    titles = ("ticker", "name")

    def make(self, row: sqlite3.Row) -> Entity:
        """A company out of its row."""
        return companies.as_entity(row)

    def check(self, tx: Transaction, given: Fields, was: Entity | None) -> Fields:
        """The fields of a company, its ticker in capitals."""
        found = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        if "ticker" in found:
            found["ticker"] = str(found["ticker"]).strip().lstrip("$").upper()
        return found

    def delete(self, tx: Transaction, row: Entity) -> None:
        """Stop watching a company; raises Conflict `entity_in_use` while posts mention it."""
        try:
            super().delete(tx, row)
        except sqlite3.IntegrityError as error:
            raise Conflict("entity_in_use", id=row.id) from error


ENTITY = EntityNoun()


def every(services: Services) -> tuple[Entity, ...]:
    """Return the companies that are watched, by name."""
    return companies.every(services.db)


def of_ticker(services: Services, ticker: str) -> Entity:
    """Return the company with this ticker; raises NotFound."""
    found = companies.find_by_ticker(services.db, ticker.lstrip("$"))
    if found is None:
        raise NotFound(noun="entity", id=ticker)
    return found


@dataclass(frozen=True, kw_only=True)
class ImportedCompanies:
    """The companies of a list by what became of them, and the rows that could not be used."""

    n_created: int
    n_updated: int
    n_unchanged: int
    faults: tuple[RowFault, ...] = ()


def import_companies(services: Services, content: bytes, *, viewer: Viewer) -> ImportedCompanies:
    """Watch the companies of a CSV list; a ticker that is known takes the list's values.

    Raises InputError when the file is empty or has no known column; a faulty row leaves the others alone.
    """
    states = Counter[str]()
    faults: list[RowFault] = []
    for row in company_list.from_csv(content):
        if isinstance(row, RowFault):
            faults.append(row)
        else:
            states[_put(services, row, viewer=viewer)] += 1
    return ImportedCompanies(
        n_created=states["created"],
        n_updated=states["updated"],
        n_unchanged=states["unchanged"],
        faults=tuple(faults),
    )


def _put(services: Services, given: Fields, *, viewer: Viewer) -> str:
    """Add or change a company of a list; returns what became of it."""
    known = companies.find_by_ticker(services.db, given["ticker"])
    if known is None:
        changes.add(services.db, ENTITY, given, viewer=viewer)
        return "created"
    # An empty cell of a list says nothing; what is known stays.
    said = {name: value for name, value in given.items() if value}
    made = changes.change(services.db, ENTITY, known.id, said, viewer=viewer)
    return "unchanged" if made.event is None else "updated"
