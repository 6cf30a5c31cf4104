"""Encrypted passwords of other servers; the key is in a file of its own beside the database, never in it."""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from app.core.errors import Conflict
from app.core.services import Services
from app.core.storage import private_files

KEY_FILE = "mail_key"


def seal(services: Services, secret: str) -> str:
    """Encrypt a password; an empty one stays empty."""
    return Fernet(_key(_place(services))).encrypt(secret.encode()).decode() if secret else ""


def unseal(services: Services, sealed: str) -> str:
    """Decrypt a password; raises Conflict `secret_unreadable` where the key file was replaced or is gone."""
    if not sealed:
        return ""
    try:
        return Fernet(_key(_place(services))).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Conflict("secret_unreadable") from None


def _place(services: Services) -> Path:
    return services.db.path.with_name(KEY_FILE)


def _key(path: Path) -> str:
    return private_files.read_or_make(path, lambda: Fernet.generate_key().decode())
