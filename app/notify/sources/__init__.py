"""Calls to other systems: mail servers, webhooks and chats."""
