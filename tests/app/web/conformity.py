"""The server held to its own description: requests made from it, good and bad, and what the answers break of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.app.web.site import Site

ENDLESS = "/api/v1/stream"
"""The live stream: its answer never ends."""

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
)

BEYOND = frozenset(
    {
        # Names of things that are there or not.
        "unknown_feed", "unknown_queue", "unknown_entity", "unknown_task", "unknown_label", "no_queue",
        # Which moments are past, which strings this server made, what the model can tell.
        "in_the_past", "bad_period", "bad_cursor", "bad_target",
        # Texts of which nothing is left once they are cleaned.
        "empty_text", "empty_message", "empty", "required",
    }
)  # fmt: skip
"""Faults that no description can foresee: what they depend on is not in the request."""


@dataclass(frozen=True, order=True)
class Break:
    """A promise of the description that an answer broke."""

    operation: str
    check: str
    detail: str


def survey(site: Site, *, n_examples: int, only: Callable[[str], bool] = lambda _: True) -> Iterator[Break]:
    """Ask every operation with boundary values and `n_examples` drawn requests; each kind of break once."""
    secret = site.caller("admin").headers["Authorization"]
    schema = schemathesis.openapi.from_wsgi("/openapi.json", site.app, config=SchemathesisConfig())
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == ENDLESS or not only(operation.label):
            continue
        yield from sorted(_asked(operation, headers={"Authorization": secret}, n_examples=n_examples))


def _asked(operation: Any, *, headers: dict[str, str], n_examples: int) -> set[Break]:
    broken: dict[tuple[str, str], Break] = {}

    def ask(case: Any) -> None:
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


def _breaks(case: Any, answer: Any) -> Iterator[Break]:
    for check in CHECKS:
        try:
            case.validate_response(answer, checks=[check])
        except (Failure, FailureGroup) as error:
            yield _break(case, answer, check=check.__name__, error=error)
    if case.meta.generation.mode.is_positive and answer.status_code in (400, 422):
        codes = _codes(answer)
        if not codes <= BEYOND:
            yield _break(case, answer, check="positive_data_acceptance", error=", ".join(sorted(codes - BEYOND)))


def _codes(answer: Any) -> frozenset[str]:
    told = answer.json()
    return frozenset(fault["code"] for fault in told.get("errors", ())) or frozenset({told["type"].rpartition("/")[2]})


def _break(case: Any, answer: Any, *, check: str, error: object) -> Break:
    reasons = [str(one) for one in error.exceptions] if isinstance(error, FailureGroup) else [str(error)]
    sent = cast("str", case.as_curl_command())[:600]
    detail = f"{' '.join(reasons)[:600]}\n{sent}\n→ {answer.status_code} {answer.text[:400]}"
    return Break(operation=case.operation.label, check=check, detail=detail)
