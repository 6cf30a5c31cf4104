"""The generated tables of the documents: `python -m tests.readme` rewrites them, a test compares them.

A table stands in the document that has its marks, `<!-- name -->` and `<!-- /name -->`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from flask import Flask

from app import create_app
from app.core import config
from app.web.access import PUBLIC, permission_of
from tests import shipped
from tests.bench import tables as speed_tables
from tests.bench import training_tables, walks
from tests.bench.tables import table
from training.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "app/README.md", "models/README.md", "training/README.md", "tests/bench/README.md")
BENCHES = ROOT / "tests" / "bench" / "results"


def settings() -> str:
    """Every setting with type, default and help."""
    rows = [
        (f"`{name}`", kind, f"`{default}`" if default else "", text) for name, kind, default, text in config.table()
    ]
    return table(("Setting", "Type", "Default", "What it does"), rows)


def routes(app: Flask) -> str:
    """Every route of the HTTP API with its methods, permission and purpose."""
    rows = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        if _is_api(rule.rule):
            permission = permission_of(app, rule.endpoint)
            allowed = "anyone" if permission == PUBLIC else f"`{permission}`"
            purpose = (app.view_functions[rule.endpoint].__doc__ or "").strip().split("\n")[0]
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            rows += [(f"`{method} {_path(rule.rule)}`", allowed, purpose) for method in methods]
    return table(("Route", "Permission", "What it does"), rows)


def _is_api(path: str) -> bool:
    single = {"/predict", "/model/parse", "/rerank", "/info", "/openapi.json", "/docs"}
    return path in single or path.startswith(("/api/", "/health", "/problems/"))


def _path(rule: str) -> str:
    return re.sub(r"<(?:\w+(?:\(\w+\))?:)?(\w+)>", r"{\1}", rule)


def commands(app: Flask) -> str:
    """Every command of `flask --app wsgi`."""
    rows = [(f"`flask --app wsgi {name}`", text) for name, text in flask_commands(app)]
    return table(("Command", "What it does"), rows)


def flask_commands(app: Flask) -> Iterable[tuple[str, str]]:
    """Full names and help of the commands of `flask --app wsgi`."""
    for name, command in sorted(app.cli.commands.items()):
        if isinstance(command, click.Group):
            for inner, leaf in sorted(command.commands.items()):
                yield f"{name} {inner}", leaf.get_short_help_str(limit=120)
        else:
            yield name, command.get_short_help_str(limit=120)


def training_commands() -> str:
    """Every command of `python -m training`."""
    rows = [(f"`python -m training {name}`", text[:1].upper() + text[1:] + ".") for name, text in COMMANDS.items()]
    return table(("Command", "What it does"), rows)


def headline() -> str:
    """The few figures that the first page shows, each with the command that measures it."""
    rows = [
        (what, figure, f"[`python -m {command}`]({place})")
        for what, figure, command, place in (*_headline_of_model(), *_headline_of_product())
    ]
    return table(("What", "Measured", "By"), rows)


def _headline_of_model() -> Iterator[tuple[str, str, str, str]]:
    rows = {row["corpus"]: row for row in _metrics()["headline"]}
    speed = _bench("speed")["short"]
    for corpus, what in (
        ("banking77", "Intent of a bank customer's question, one of 77"),
        ("sentfin", "Sentiment of a headline towards each company in it"),
    ):
        figure = f"{100 * rows[corpus]['int8']:.1f} % right of {rows[corpus]['n']:,} ({corpus})"
        yield what, figure, f"training evaluate models/{shipped.newest().name}", "models/README.md#what-they-reach"
    rate, ratio = speed["texts_per_s"][speed_tables.ENGINE]["median"], speed["ratios"]["to_the_pipeline_at_its_best"]
    figure = f"{rate:,.0f} a second, {ratio['ratio']:.1f} times as many as a transformers pipeline"
    yield "Texts read on two cores", figure, "tests.bench speed", "tests/bench/README.md#speed"


def _headline_of_product() -> Iterator[tuple[str, str, str, str]]:
    page, start, read = "tests/bench/README.md", _bench("start"), _bench("desk")["read"]
    figure = f"{start['first_prediction_s']:.1f} s; {start['resident_mb']:.0f} MB"
    yield "From start to the first prediction; memory in all", figure, "tests.bench start", f"{page}#speed"
    figure = ", ".join(f"{read[part]['p95_ms']:.0f} ms" for part in ("inbox", "ticket", "search"))
    what = "Inbox, ticket page and search at a million tickets, 95th percentile"
    yield what, figure, "tests.bench desk_read", f"{page}#the-desk-at-a-million-tickets"
    figure = f"{_bench('replay')['posts_a_second']:.0f} a second"
    yield "Posts read, counted and judged", figure, "tests.bench replay", f"{page}#what-the-monitor-keeps-up-with"
    found = {name: row for name, row in _bench("surges")["rows"].items() if name.endswith(": bellwether")}
    shares = ", ".join(f"{100 * row['recall']:.0f} %" for row in found.values())
    worst = max(row["false_a_week"] for row in found.values())
    yield (
        f"Surges of bad news found at {', '.join(name.split()[0] for name in found)} stories an hour",
        f"{shares}, with at most {worst:.2f} false alarms a topic and week",
        "tests.bench surges",
        f"{page}#how-surges-are-told-from-chance",
    )


def results() -> str:
    """The shipped artifact's figures on the official tests, int8 and float32."""
    rows = [
        (row["corpus"], row["metric"].replace("_", " "), f"{row['n']:,}", f"{row['int8']:.4f}",
         f"{row['interval'][0]:.4f}–{row['interval'][1]:.4f}", f"{row['float32']:.4f}")
        for row in _metrics()["headline"]
    ]  # fmt: skip
    return table(("Corpus", "Metric", "n", "int8, as served", "95 % interval", "float32"), rows)


def robustness() -> str:
    """What is left of the shipped artifact's accuracy when texts are disturbed."""
    return training_tables.robustness(_metrics())


def mini() -> str:
    """The small model beside the full one."""
    return training_tables.mini(_metrics(), _metrics("bellwether-mini"))


def _metrics(name: str = "bellwether") -> dict[str, Any]:
    """The metrics.json of a shipped artifact."""
    found: dict[str, Any] = json.loads((shipped.newest(name) / "metrics.json").read_text(encoding="utf-8"))
    return found


def _bench(name: str) -> dict[str, Any]:
    """What `python -m tests.bench NAME` wrote."""
    found: dict[str, Any] = json.loads((BENCHES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def nab() -> str:
    """Surges of volume on NAB realTweets, beside the published scores of three detectors."""
    rows = [
        (
            name,
            f"{row['hit']} of {row['windows']}",
            f"{row['false_a_week']:.2f} ({row['false_alarms']} in {row['series_weeks']:.1f} weeks)",
            "–" if row["median_delay_bins"] is None else f"{15 * row['median_delay_bins']:.0f} min",
        )
        for name, row in _bench("nab")["detectors"].items()
    ]
    return table(("Detector", "Windows hit", "False alarms a series and week", "Median delay"), rows)


def surges() -> str:
    """Surges of bad news in the simulated market, beside the usual tests."""
    rows = []
    for name, row in _bench("surges")["rows"].items():
        rate, detector = name.split(": ", 1)
        found = f"{100 * row['recall']:.1f} % ({row['found']} of {row['surges']})"
        bursts = f"{row['bursts_told']} of {row['bursts']} ({row['bursts_expected_by_chance']:.0f} by chance)"
        rows.append((rate, detector, f"{row['false_a_week']:.2f}", found, f"{row['median_delay_hours']:.0f} h", bursts))
    head = ("Stories", "Detector", "False alarms a topic and week", "Surges found", "Median delay", "Bursts told")
    return table(head, rows)


def monitor() -> str:
    """What the market monitor keeps up with: posts, telling, a day of very many posts, two years of headlines."""
    replay, small, telling, day, reuters = (
        _bench(name) for name in ("replay", "replay_mini", "telling", "day", "reuters")
    )
    which, slowest = max(
        ((name, one["page"]) for name, one in day["day"].items()), key=lambda entry: float(entry[1]["median_ms"])
    )
    rows: list[tuple[object, ...]] = [
        (
            f"Posts from a file's row to counts and rules ({replay['posts']:,} posts)",
            "500/s",
            f"{replay['posts_a_second']:.0f}/s; {replay['posts'] / replay['processor_seconds']:.0f} a processor second",
        ),
        *(
            (f"of them {name}", "", f"{one['posts_a_second']:.0f}/s")
            for name, one in sorted(replay["streams"].items(), reverse=True)
        ),
        ("the same read by bellwether-mini", "1,000/s", f"{small['posts_a_second']:.0f}/s"),
        (
            "From the evaluation that fires to the first attempt to send",
            "5 s",
            f"median {telling['median_s']:.1f} s, worst {telling['worst_s']:.1f} s of {telling['rounds']}",
        ),
        (
            f"The page of a day out of {day['n_posts']:,} posts",
            "200 ms",
            f"{slowest['median_ms']:.0f} ms ({which}; the first time {slowest['first_ms']:.0f} ms)",
        ),
        *(_of_budget(one) for one in reuters["budgets"]),
    ]
    return table(("What", "Target", "Measured"), rows)


def _of_budget(one: dict[str, Any]) -> tuple[str, str, str]:
    began = ", ".join(one["begins_in_time"]) or "none"
    return (
        f"Reuters headlines, {one['budget_a_week']} false alarms a week allowed",
        "begins 2020-02-24 to 2020-03-10; outside the crisis within the budget",
        f"began {began}; {len(one['outside'])} in {one['weeks_outside']} weeks, {one['outside_a_week']:.2f} a week",
    )


def desk() -> str:
    """What the desk does at a million tickets: on the wall, and in processor time."""
    told = _bench("desk")
    read, write, agents = told["read"], told["write"], told.get("agents")
    pages = (("inbox", "Inbox with any filter", 120), ("ticket", "Ticket page", 80), ("search", "Search", 100))
    rows: list[tuple[object, ...]] = [
        (f"{title}, p95", f"{target} ms", f"{read[part]['p95_ms']} ms", f"{read[part]['processor_p95_ms']} ms")
        for part, title, target in pages
    ]
    reports = (_bench("reports")["pages"][f"{days} days, all queues"]["median_ms"] for days in (30, 365))
    rows.append(("Reports of 30 and 365 days, median", "200 ms", ", ".join(f"{ms:.0f} ms" for ms in reports), ""))
    beyond = f"{read['size']['beyond_text_bytes_a_ticket']:,} bytes"
    rows.append(("Database beyond the text, a ticket", "2,000 bytes", beyond, ""))
    for part, title, target in (
        ("bulk", "Bulk change", "2,000/s"),
        ("undo", "Its undo", ""),
        ("filed", "Filed over HTTP and read by the model", "150/s"),
    ):
        one = write[part]
        rows.append((title, target, f"{one['tickets_a_second']}/s", f"{one['tickets_a_processor_second']} a second"))
    if agents:
        held = f"{sum(agents['errors'].values())} errors, {agents['n_lost']} of {agents['n_edits']:,} edits lost"
        rows.append((f"{agents['n_agents']} agents for {agents['seconds']} s", "no error, none lost", held, ""))
    return table(("What", "Target", "On the wall", "Processor time"), rows)


def tables() -> dict[str, str]:
    """The generated tables by name."""
    app = create_app(config.load({}))
    return {
        "headline": headline(),
        "routes": routes(app),
        "settings": settings(),
        "commands": commands(app),
        "training_commands": training_commands(),
        "results": results(),
        "robustness": robustness(),
        "mini": mini(),
        "techniques": training_tables.techniques(),
        "shots": training_tables.shots(),
        "benches": speed_tables.benches(),
        "speed": speed_tables.contestants(),
        "engine": speed_tables.targets(),
        "desk": desk(),
        "surges": surges(),
        "nab": nab(),
        "monitor": monitor(),
        "attack": speed_tables.attacks(),
        "walks": walks.rendered(),
    }


def document(name: str) -> str:
    """The text of a document."""
    return (ROOT / name).read_text(encoding="utf-8")


def render(text: str, *, made: Mapping[str, str]) -> str:
    """A document's text with every generated table in it as it was made."""
    for name, table_text in made.items():
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{opening}{table_text}\n{closing}{after}" if closing else text
    return text


def main() -> None:
    """Rewrite the tables of every document."""
    made = tables()
    for name in DOCUMENTS:
        (ROOT / name).write_text(render(document(name), made=made), encoding="utf-8")


if __name__ == "__main__":
    main()
