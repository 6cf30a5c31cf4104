"""One action on all tickets of a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from app.desk.domain.ticket import TicketFilter

BulkAction = Literal["assign", "route", "set_status", "set_priority", "apply_macro", "correct"]


@dataclass(frozen=True, kw_only=True)
class BulkOrder:
    """An action on all tickets of a filter; `last_id` is the newest ticket at the time of the order.

    `params` holds `assignee_id` (None: nobody), `queue_id`, `status`, `priority`, `macro_id`, or `task` with `label`.
    """

    chosen: TicketFilter
    action: BulkAction
    params: Mapping[str, Any] = field(default_factory=dict)
    exclude_ids: tuple[int, ...] = ()
    last_id: int = 0

    def as_params(self) -> dict[str, Any]:
        """The order as a job keeps it."""
        return {
            "filter": asdict(self.chosen),
            "action": self.action,
            "params": dict(self.params),
            "exclude_ids": list(self.exclude_ids),
            "last_id": self.last_id,
        }


def of_params(kept: Mapping[str, Any]) -> BulkOrder:
    """The order that a job keeps."""
    return BulkOrder(
        chosen=TicketFilter(**{**kept["filter"], "status": tuple(kept["filter"]["status"])}),
        action=kept["action"],
        params=kept["params"],
        exclude_ids=tuple(kept["exclude_ids"]),
        last_id=kept["last_id"],
    )
