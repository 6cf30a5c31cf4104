"""Notifications: receivers, what each is sent, and the delivery by webhook, mail or chat."""
