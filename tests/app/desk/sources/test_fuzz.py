"""A few hundred mails and feeds made to break their readers; `python -m tests.bench fuzz` reads 130,000."""

from __future__ import annotations

from tests.bench.attacks import fuzz, fuzz_items


def test_no_mail_ends_unhandled() -> None:
    found = fuzz.run(fuzz_items.mails(1), fuzz.read_mail, n=600)
    assert (found.unhandled, found.slow) == ([], [])
    assert found.n_read > 300


def test_no_feed_ends_unhandled() -> None:
    found = fuzz.run(fuzz_items.feeds(1), fuzz.read_feed, n=300)
    assert (found.unhandled, found.slow) == ([], [])
    assert found.n_read > 150
