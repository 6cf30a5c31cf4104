"""Mail: mailboxes read, mails taken in, replies sent."""
