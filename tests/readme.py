"""The generated tables of the README: `python -m tests.readme` rewrites them, a test compares them.

Each table stands between `<!-- name -->` and `<!-- /name -->`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from flask import Flask

from app import create_app
from app.core import config
from app.web.access import PUBLIC, permission_of
from tests import shipped
from tests.bench import tables as speed_tables
from tests.bench import training_tables

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BENCHES = ROOT / "tests" / "bench" / "results"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def settings() -> str:
    """Every setting with type, default and help."""
    rows = [
        (f"`{name}`", kind, f"`{default}`" if default else "", text) for name, kind, default, text in config.table()
    ]
    return _table(("Setting", "Type", "Default", "What it does"), rows)


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
    return _table(("Route", "Permission", "What it does"), rows)


def _is_api(path: str) -> bool:
    single = {"/predict", "/model/parse", "/rerank", "/info", "/openapi.json", "/docs"}
    return path in single or path.startswith(("/api/", "/health", "/problems/"))


def _path(rule: str) -> str:
    return re.sub(r"<(?:\w+(?:\(\w+\))?:)?(\w+)>", r"{\1}", rule)


def commands(app: Flask) -> str:
    """Every command of `flask --app wsgi` and `python -m training`."""
    rows = [(f"`flask --app wsgi {name}`", text) for name, text in flask_commands(app)]
    rows += [(f"`python -m training {name}`", text) for name, text in training_commands()]
    return _table(("Command", "What it does"), rows)


def flask_commands(app: Flask) -> Iterable[tuple[str, str]]:
    """Full names and help of the commands of `flask --app wsgi`."""
    for name, command in sorted(app.cli.commands.items()):
        if isinstance(command, click.Group):
            for inner, leaf in sorted(command.commands.items()):
                yield f"{name} {inner}", leaf.get_short_help_str(limit=120)
        else:
            yield name, command.get_short_help_str(limit=120)


def training_commands() -> Iterable[tuple[str, str]]:
    """Names and help of the commands of `python -m training`."""
    from training.cli import COMMANDS

    yield from sorted(COMMANDS.items())


def results() -> str:
    """The shipped artifact's figures on the official tests, int8 and float32."""
    metrics = json.loads((shipped.newest() / "metrics.json").read_text(encoding="utf-8"))
    rows = [
        (row["corpus"], row["metric"].replace("_", " "), f"{row['n']:,}", f"{row['int8']:.4f}",
         f"{row['interval'][0]:.4f}–{row['interval'][1]:.4f}", f"{row['float32']:.4f}")
        for row in metrics["headline"]
    ]  # fmt: skip
    return _table(("Corpus", "Metric", "n", "int8, as served", "95 % interval", "float32"), rows)


def robustness() -> str:
    """What is left of the shipped artifact's accuracy when texts are disturbed."""
    return training_tables.robustness(json.loads((shipped.newest() / "metrics.json").read_text(encoding="utf-8")))


def mini() -> str:
    """The small model beside the full one."""
    full, small = (
        json.loads((shipped.newest(name) / "metrics.json").read_text(encoding="utf-8"))
        for name in ("bellwether", "bellwether-mini")
    )
    return training_tables.mini(full, small)


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
    return _table(("Detector", "Windows hit", "False alarms a series and week", "Median delay"), rows)


def surges() -> str:
    """Surges of bad news in the simulated market, beside the usual tests."""
    rows = []
    for name, row in _bench("surges")["rows"].items():
        rate, detector = name.split(": ", 1)
        found = f"{100 * row['recall']:.1f} % ({row['found']} of {row['surges']})"
        bursts = f"{row['bursts_told']} of {row['bursts']} ({row['bursts_expected_by_chance']:.0f} by chance)"
        rows.append((rate, detector, f"{row['false_a_week']:.2f}", found, f"{row['median_delay_hours']:.0f} h", bursts))
    head = ("Stories", "Detector", "False alarms a topic and week", "Surges found", "Median delay", "Bursts told")
    return _table(head, rows)


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
    return _table(("What", "Target", "Measured"), rows)


def _of_budget(one: dict[str, Any]) -> tuple[str, str, str]:
    began = ", ".join(one["begins_in_time"]) or "none"
    return (
        f"Reuters headlines, {one['budget_a_week']} false alarms a week allowed",
        "begins 2020-02-24 to 2020-03-10; outside the crisis within the budget",
        f"began {began}; {len(one['outside'])} in {one['weeks_outside']} weeks, {one['outside_a_week']:.2f} a week",
    )


def desk() -> str:
    """What the desk does at a million tickets: on the wall, and in processor time."""
    told = json.loads((ROOT / "tests" / "bench" / "results" / "desk.json").read_text(encoding="utf-8"))
    read, write, agents = told["read"], told["write"], told.get("agents")
    pages = (("inbox", "Inbox with any filter", 120), ("ticket", "Ticket page", 80), ("search", "Search", 100))
    rows: list[tuple[object, ...]] = [
        (f"{title}, p95", f"{target} ms", f"{read[part]['p95_ms']} ms", f"{read[part]['processor_p95_ms']} ms")
        for part, title, target in pages
    ]
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
    return _table(("What", "Target", "On the wall", "Processor time"), rows)


def tables() -> dict[str, Callable[[], str]]:
    """The generated parts by name."""
    app = create_app(config.load({}))
    return {
        "settings": settings,
        "routes": lambda: routes(app),
        "commands": lambda: commands(app),
        "results": results,
        "robustness": robustness,
        "mini": mini,
        "techniques": training_tables.techniques,
        "shots": training_tables.shots,
        "desk": desk,
        "speed": speed_tables.contestants,
        "engine": speed_tables.targets,
        "attack": speed_tables.attacks,
        "nab": nab,
        "surges": surges,
        "monitor": monitor,
    }


def render(text: str) -> str:
    """The README with every generated part made anew."""
    for name, make in tables().items():
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{opening}{make()}\n{closing}{after}" if closing else text
    return text


def main() -> None:
    """Rewrite the README."""
    README.write_text(render(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
