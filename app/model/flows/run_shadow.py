"""A model in shadow: it reads what the live one has read, nothing acts on it, and both are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.core import clock
from app.core.engine_interface import Request
from app.core.errors import Conflict, NotReady
from app.core.events import history
from app.core.permissions import Viewer
from app.core.prediction import StoredPrediction
from app.core.services import Services
from app.model.domain import Agreement, Deployment, Difference
from app.model.flows import deploy_model, find_texts
from app.model.flows.find_texts import TextSource
from app.model.store import deployments, predictions, shadow_runs

STEP = 32
MOST_DIFFERENCES = 3


def name(services: Services) -> str | None:
    """Return the `name@version` in shadow; None when there is none."""
    found = deployments.current(services.db, slot="shadow")
    return None if found is None else found.model or None


def start(services: Services, wanted: str, *, viewer: Viewer) -> Deployment:
    """Put `name@version` into shadow; the worker lets it read from then on.

    Raises ArtifactMissing or ArtifactDamaged, Conflict `shadow_is_live` for the model that is live.
    """
    model = deploy_model.open_model(services, wanted)
    made = model.artifact.manifest.id
    if made == deploy_model.answering(services):
        raise Conflict("shadow_is_live", model=made)
    row = _noted(services, made, viewer=viewer, verb="shadowed")
    services.engine.swap(model, slot="shadow")
    return row


def stop(services: Services, *, viewer: Viewer) -> Deployment:
    """End the shadow; what it said is kept. Raises Conflict `no_shadow`."""
    if name(services) is None:
        raise Conflict("no_shadow")
    row = _noted(services, "", viewer=viewer, verb="unshadowed")
    services.engine.swap(None, slot="shadow")
    return row


def _noted(services: Services, model: str, *, viewer: Viewer, verb: str) -> Deployment:
    at, actor = clock.now_ms(), history.of(viewer)
    with services.db.transaction() as tx:
        before = deployments.current(tx, slot="shadow")
        row_id = deployments.insert(tx, model=model, slot="shadow", at=at, actor_id=actor[1])
        earlier = {"model": before.model if before else ""}
        history.record(tx, actor=actor, verb=verb, noun="model", noun_id=row_id, before=earlier, after={"model": model})
    return Deployment(id=row_id, model=model, slot="shadow", at=at, actor_id=actor[1])


def read_on(services: Services, *, limit: int = STEP) -> int:
    """Let the model in shadow read what it has not read yet; return the number of texts."""
    wanted = name(services)
    if not _follow(services, wanted) or wanted is None:
        return 0
    return sum(_read(services, source, model=wanted, limit=limit) for source in find_texts.SOURCES)


def _follow(services: Services, wanted: str | None) -> bool:
    """Open or close the model that another process has put into shadow or taken out; return True if one is open."""
    try:
        open_name = services.engine.model("shadow").artifact.manifest.id
    except NotReady:
        open_name = None
    if wanted != open_name:
        services.engine.swap(None if wanted is None else deploy_model.open_model(services, wanted), slot="shadow")
    return wanted is not None and services.engine.is_ready


def _read(services: Services, source: TextSource, *, model: str, limit: int) -> int:
    kind = source.kind
    ids = shadow_runs.unread(services.db, model=model, subject_kind=kind, limit=limit)
    known = predictions.of_subjects(services.db, subject_kind=kind, subject_ids=ids)
    requests = [_request(services, source, subject_id=one, known=known) for one in ids]
    results = services.engine.classify(requests, lane="bulk", slot="shadow")
    now = clock.now_ms()
    with services.db.transaction() as tx:
        for subject_id, result in zip(ids, results, strict=True):
            predictions.insert_all(tx, subject_kind=kind, subject_id=subject_id, predictions=result.predictions, at=now)
    return len(ids)


def _request(services: Services, source: TextSource, *, subject_id: int, known: Sequence[StoredPrediction]) -> Request:
    """Return the request of a text, for the tasks that the live model answered and the shadow has."""
    said = (one for one in known if one.subject_id == subject_id and not one.prediction.is_shadow)
    has = services.engine.model("shadow").tasks
    tasks = tuple(dict.fromkeys(one.prediction.task for one in said if one.prediction.task in has))
    return Request(text=source.text(services.db, subject_id), tasks=tasks or None)


def agreement(services: Services) -> tuple[Agreement, ...]:
    """Return the agreement of the live model and the shadow by task, over the newest texts that both have read."""
    wanted = name(services)
    by_task: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for task, live, shadow, n in shadow_runs.label_pairs(services.db, model=wanted) if wanted else ():
        by_task[task].append((live, shadow, n))
    return tuple(_agreement(task, pairs) for task, pairs in sorted(by_task.items()))


def _agreement(task: str, pairs: Sequence[tuple[str, str, int]]) -> Agreement:
    others = [Difference(live=live, shadow=shadow, n=n) for live, shadow, n in pairs if live != shadow]
    return Agreement(
        task=task,
        n=sum(n for *_, n in pairs),
        n_same=sum(n for live, shadow, n in pairs if live == shadow),
        differences=tuple(others[:MOST_DIFFERENCES]),
    )
