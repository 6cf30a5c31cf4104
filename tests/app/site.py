"""A whole application on a database of its own, with people and tokens to knock at its doors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.core import config
from app.core.permissions import SYSTEM, User, UserRole
from app.core.services import Services
from app.people.flows import keep_accounts, keep_tokens

PASSWORD = "correct horse battery"
_ADDRESSES = count(1)


@dataclass(frozen=True)
class Caller:
    """A client that sends a token with everything."""

    client: FlaskClient
    headers: dict[str, str]

    def __call__(self, method: str, path: str, **sent: Any) -> Any:
        """Send a request; further headers are added to the token."""
        headers = {**self.headers, **sent.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **sent)


@dataclass(frozen=True)
class Site:
    """The application with its services."""

    app: Flask

    @property
    def services(self) -> Services:
        """What the application works with."""
        found: Services = self.app.extensions["bellwether"]
        return found

    def person(self, role: UserRole, *, email: str | None = None) -> User:
        """A person of this role, made when there is none with this address."""
        from app.people.store import users

        address = email or f"{role}@example.com"
        found = users.find_by_email(self.services.db, address)
        if found is not None:
            return found
        return keep_accounts.add_user(
            self.services, viewer=SYSTEM, name=role.title(), email=address, role=role, password=PASSWORD
        )

    def caller(self, *scopes: str, role: UserRole = "admin") -> Caller:
        """Requests with a token of these scopes, of a person of this role."""
        _, secret = keep_tokens.make_token(
            self.services, user_id=self.person(role).id, name="test", scopes=scopes, viewer=SYSTEM
        )
        return Caller(self.app.test_client(), {"Authorization": f"Bearer {secret}"})

    def browser(self) -> FlaskClient:
        """A browser at an address of its own, so that sign-in limits do not add up over tests."""
        client = self.app.test_client()
        number = next(_ADDRESSES)
        client.environ_base["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return client

    def signed_in(self, role: UserRole = "admin") -> FlaskClient:
        """A browser in which a person of this role signed in through the form."""
        person, client = self.person(role), self.browser()
        answer = client.post(
            "/sign-in", data={"email": person.email, "password": PASSWORD, "csrf_token": csrf(client, "/sign-in")}
        )
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return client


def csrf(client: FlaskClient, path: str) -> str:
    """The CSRF token of a page."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(r'name="csrf-token" content="([^"]+)"', page) or re.search(
        r'name="csrf_token"[^>]*value="([^"]+)"', page
    )
    assert found, page[:500]
    return found[1]


def make_site(folder: Path, *, models: Path | None = None, **settings: Any) -> Site:
    """A site in `folder`; without `models` it has no model."""
    made = config.load({}, instance=folder / "instance", models=models or folder / "models", **settings)
    return Site(create_app(made))
