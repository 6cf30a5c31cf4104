"""The two replay streams as the app reads them, and a market of companies that they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.alerts.flows.keep_rules import RULE
from app.core import changes
from app.core.db import open_database
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import SubjectKind
from app.market.flows import read_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.flows.read_posts import PostRow
from app.model.engine.opening import open_engine
from app.registration import register_flows
from tests import corpora, shipped
from tests.app.policies import make_policy

FOLDER = corpora.folder() / "streams"
REUTERS = FOLDER / "reuters_headlines_2018_2020.jsonl"
STOCKNET = FOLDER / "stocknet_tweets_2014_2015.jsonl"
# The twelve companies of StockNet, and those that Reuters' headlines name most; words that are names need a sign.
COMPANIES = (
    ("AAPL", "Apple", "technology", ("Apple Inc",), ()),
    ("FB", "Facebook", "technology", (), ()),
    ("GOOG", "Google", "technology", ("Alphabet",), ()),
    ("AMZN", "Amazon", "retail", ("Amazon.com",), ()),
    ("MSFT", "Microsoft", "technology", (), ()),
    ("BAC", "Bank of America", "banks", ("BofA",), ()),
    ("C", "Citigroup", "banks", ("Citi",), ()),
    ("JPM", "JPMorgan", "banks", ("JPMorgan Chase", "J.P. Morgan"), ()),
    ("INTC", "Intel", "technology", (), ()),
    ("GE", "General Electric", "industry", (), ()),
    ("XOM", "Exxon Mobil", "energy", ("Exxon", "ExxonMobil"), ()),
    ("WMT", "Walmart", "retail", ("Wal-Mart",), ()),
    ("BA", "Boeing", "industry", (), ()),
    ("TSLA", "Tesla", "cars", (), ()),
    ("VOW", "Volkswagen", "cars", ("VW",), ()),
    ("GM", "General Motors", "cars", (), ()),
    ("F", "Ford Motor", "cars", ("Ford",), ("Ford",)),
    ("DBK", "Deutsche Bank", "banks", (), ()),
    ("GS", "Goldman Sachs", "banks", ("Goldman",), ()),
    ("WFC", "Wells Fargo", "banks", (), ()),
    ("HSBA", "HSBC", "banks", (), ()),
    ("BP", "BP plc", "energy", ("BP",), ("BP",)),
    ("UBER", "Uber", "technology", (), ()),
    ("NFLX", "Netflix", "media", (), ()),
    ("DIS", "Walt Disney", "media", ("Disney",), ()),
    ("AIR", "Airbus", "industry", (), ()),
    ("BAYN", "Bayer", "health", (), ()),
    ("PFE", "Pfizer", "health", (), ()),
    ("005930", "Samsung Electronics", "technology", ("Samsung",), ()),
    ("7201", "Nissan Motor", "cars", ("Nissan",), ()),
    ("7203", "Toyota Motor", "cars", ("Toyota",), ()),
    ("HWT", "Huawei", "technology", (), ()),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A file with the feed that it is read into."""

    slug: str
    path: Path

    def rows(self, *, n_rows: int | None = None) -> Iterator[PostRow]:
        """Its rows as drafts, no more than `n_rows`."""
        with self.path.open(encoding="utf-8") as lines:
            yield from read_posts.posts_from_file(islice(lines, n_rows), form="jsonl")


STREAMS = (Stream(slug="stocknet", path=STOCKNET), Stream(slug="reuters", path=REUTERS))


def monitor(
    folder: Path, *, kinds: Sequence[SubjectKind] = ("entity", "topic", "market"), model: str | None = None
) -> Services:
    """Services on a new database in `folder`, with companies, feeds, and rules of these kinds.

    `model` names the `name@version` that reads, None the shipped artifact.
    """
    register_flows()
    services = Services(
        db=open_database(folder / "replay.sqlite"),
        engine=open_engine(folders=(shipped.MODELS,), live=lambda: model, threads=2),
        policy=make_policy(),
    )
    for ticker, name, sector, aliases, ambiguous in COMPANIES:
        changes.add(
            services.db,
            ENTITY,
            {"ticker": ticker, "name": name, "sector": sector, "aliases": aliases, "ambiguous": ambiguous},
            viewer=SYSTEM,
        )
    for stream in STREAMS:
        changes.add(
            services.db, FEED, {"slug": stream.slug, "name": stream.slug.title(), "kind": "file"}, viewer=SYSTEM
        )
    for kind in kinds:
        changes.add(services.db, RULE, {"name": f"Share of {kind}", "subject_kind": kind}, viewer=SYSTEM)
        changes.add(
            services.db, RULE, {"name": f"Surge of {kind}", "kind": "surge", "subject_kind": kind}, viewer=SYSTEM
        )
    return services
