"""The server held to its own description: requests made from it, good and bad, and what the answers break of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from app.alerts.flows import tick_rules
from app.answers.flows import keep_articles
from app.core.permissions import SYSTEM
from app.core.text.cleaning import tidy
from app.web.api import openapi
from tests.app.site import Site

ENDLESS = "/api/v1/stream"
"""The live stream: its answer never ends."""

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)

REFUSALS = {
    "negative_data_rejection": {
        "expected-statuses": ["400", "401", "403", "404", "409", "412", "413", "415", "422", "424"]
    }
}
"""Statuses that refuse a request that the description does not allow."""

BEYOND = frozenset(
    {
        # Names of things that are there or not.
        "unknown_feed", "unknown_queue", "unknown_entity", "unknown_task", "unknown_label", "no_queue",
        # Which moments are past, which strings this server made, what the model can tell.
        "in_the_past", "bad_period", "bad_cursor", "bad_target",
        "unknown_subject", "unknown_team", "unknown_zone", "not_an_address", "not_a_time", "bad_apprise_url",
        "bad_word", "future",
        # What a change makes of what is there already.
        "topic_without_words", "too_few_examples", "only_apprise", "cannot_undo", "bad_url",
        # Which names of machines can be, and which kind of receiver an address belongs to.
        "bad_url_odd_host", "bad_url_scheme",
    }
)  # fmt: skip
"""Faults that no description can foresee: what they depend on is not in the request."""

ITEMWISE = re.compile(r"POST /api/v1/analyze /items/\d+/(text|targets)")
"""Parts that are judged by themselves and may hold anything: a call fails only when all of them do."""

BLANK = frozenset({"empty", "empty_text", "empty_message", "empty_field"})
"""Faults of a text of which nothing is left once it is cleaned."""


@dataclass(frozen=True, order=True)
class Break:
    """A promise of the description that an answer broke."""

    operation: str
    check: str
    detail: str


def furnish(site: Site) -> Mapping[str, str]:
    """One thing of each kind; what stands for it in a path, by the part of the path before it."""
    api = site.caller("admin")

    def made(path: str, **sent: Any) -> str:
        answer = api("POST", f"/api/v1/{path}", json=sent)
        assert answer.status_code in (200, 201, 202), answer.text
        return str(answer.json.get("id", ""))

    feed = made("feeds", slug="wire", name="Wire")
    made("entities", ticker="LKSP", name="Larkspur Home")
    posts = [{"external_id": str(n), "title": f"Larkspur Home falls after fraud probe {n}"} for n in range(12)]
    pushed = api("POST", "/api/v1/posts?feed=wire", json=posts)
    rule = made("rules", name="Bad news", kind="mention")
    tick_rules.tick(site.services)
    ticket = made("tickets", body="My card was stolen, please cancel it", external_id="a1")
    receiver = made("receivers", name="Ops", kind="webhook", url="https://hooks.example.com/in")
    bulk = api(
        "POST", "/api/v1/tickets/bulk", json={"action": "set_priority", "params": {"priority": "high"}, "filter": {}}
    )
    found = api("GET", f"/api/v1/tickets/{ticket}").json["messages"][0]["predictions"][0]["id"]
    condition = {"field": "intent", "operator": "is", "value": "get_refund"}
    action = {"type": "add_tag", "value": "money"}
    article = keep_articles.add_article(
        site.services, {"slug": "refunds", "title": "Refunds", "body": "Ask within 30 days."}, viewer=SYSTEM
    ).row
    return {
        "alerts": "alr_1",
        "articles": f"art_{article.id}",
        "dashboards": made("dashboards", name="Mine", subjects=["market"]),
        "feeds": feed,
        "jobs": bulk.json["job"]["id"],
        "macros": made("macros", name="Refund", body="Hi {{ customer.name }}"),
        "notifications": made(f"receivers/{receiver}/test"),
        "posts": pushed.json["data"][0]["id"],
        "receivers": receiver,
        "routing-rules": made("routing-rules", name="Refunds", conditions=[condition], actions=[action]),
        "rules": rule,
        "silences": made("silences", until="2999-01-01T00:00:00Z", comment="night"),
        "teaching": found,
        "tickets": ticket,
        "tokens": made("tokens", name="spare", scopes=["predict"]),
        "topics": made("topics", title="Fraud", words=["fraud"]),
    }


def survey(
    site: Site, *, n_examples: int, things: Mapping[str, str], only: Callable[[str], bool] = lambda _: True
) -> Iterator[Break]:
    """Ask every operation with boundary values and `n_examples` drawn requests; each kind of break once.

    `things` are those that `furnish` made; they are deleted last.
    """
    secret = site.caller("admin").headers["Authorization"]
    document = openapi.document(site.app)
    # The token goes with every request: one that a drawn request lacks would not be missing.
    del document["security"]
    schema: Any = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict({"checks": REFUSALS}))
    schema.app = site.app
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda one: one.method == "delete"):
        if operation.path != ENDLESS and only(operation.label):
            yield from sorted(
                _asked(operation, headers={"Authorization": secret}, n_examples=n_examples, things=things)
            )


def _asked(operation: Any, *, headers: dict[str, str], n_examples: int, things: Mapping[str, str]) -> set[Break]:
    broken: dict[tuple[str, str], Break] = {}

    def ask(case: Any) -> None:
        _point_at(case, things=things)
        answer = case.call(headers=headers)
        for one in _breaks(case, answer):
            broken.setdefault((one.check, one.detail.partition("\n")[0]), one)

    settings = hypothesis.settings(
        max_examples=n_examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    modes = [HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING]
    config = HypothesisTestConfig(project=operation.schema.config, modes=modes, settings=settings)
    create_test(operation=operation, test_func=ask, config=config)()
    return set(broken.values())


def _point_at(case: Any, *, things: Mapping[str, str]) -> None:
    """Let a path that is sound name a thing that there is: a request for nothing is answered before it is read."""
    located = case.meta.components.get(ParameterLocation.PATH)
    before = re.search(r"([\w-]+)/\{(\w+)\}", case.operation.path)
    if before is not None and located is not None and located.mode.is_positive and before[1] in things:
        case.path_parameters = {**case.path_parameters, before[2]: things[before[1]]}


def _breaks(case: Any, answer: Any) -> Iterator[Break]:
    if answer.status_code == 503 and _codes(answer) <= {"artifact_missing"}:
        # The site has no encoder for searching by meaning.
        return
    for check in CHECKS:
        try:
            case.validate_response(answer, checks=[check])
        except (Failure, FailureGroup) as error:
            yield _break(case, answer, check=check.__name__, error=error)
    if case.meta.generation.mode.is_positive and answer.status_code in (400, 422):
        codes = _codes(answer, asked=case.operation.label)
        foreseen = codes - BEYOND - (BLANK if any(map(_is_blank, _texts(case.body))) else set())
        if foreseen:
            yield _break(case, answer, check="positive_data_acceptance", error=", ".join(sorted(foreseen)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _is_blank(text: str) -> bool:
    return bool(text) and not tidy(text).strip()


def _codes(answer: Any, *, asked: str = "") -> frozenset[str]:
    told = answer.json()
    if not told.get("errors"):
        return frozenset({told["type"].rpartition("/")[2]})
    return frozenset(fault["code"] for fault in told["errors"] if not ITEMWISE.match(f"{asked} {fault['pointer']}"))


def _break(case: Any, answer: Any, *, check: str, error: object) -> Break:
    reasons = [str(one) for one in error.exceptions] if isinstance(error, FailureGroup) else [str(error)]
    sent = cast("str", case.as_curl_command())[:600]
    detail = f"{' '.join(reasons)[:600]}\n{sent}\n→ {answer.status_code} {answer.text[:400]}"
    return Break(operation=case.operation.label, check=check, detail=detail)
