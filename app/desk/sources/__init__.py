"""Sources of tickets: mailboxes, mails, exports of other desks, API bodies."""
