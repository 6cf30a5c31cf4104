"""The one gate: `python -m tests` runs lint, types, then the tests (the docs checks among them).

Further arguments go to pytest: `python -m tests tests/app -k inbox`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests import corpora, mail_servers

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["app", "models", "training", "tests", "wsgi.py"]
STEPS = (
    ("lint", ["ruff", "check", *PACKAGES]),
    ("format", ["ruff", "format", "--check", *PACKAGES]),
    ("types", ["mypy", *PACKAGES]),
)
PROCESSES = ("--numprocesses", "2", "--dist", "loadfile")
"""Two at a time; the tests of a file share what it sets up, so they stay in one process."""

NO_BROWSER = "The browser tests are left out: no Chromium was found. Install one with: apt-get install chromium"

NO_DOVECOT = (
    "The tests that read mail are left out: no dovecot was found. Install it with: apt-get install dovecot-imapd"
)

NO_CORPORA = "The tests that measure the shipped model again are left out: no corpora at {}. Set BELLWETHER_DATA."


def _run(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False).returncode


def _browser_arguments() -> list[str]:
    if shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"):
        return []
    print(NO_BROWSER, flush=True)
    return ["--ignore", "tests/browser"]


def _mail_arguments() -> list[str]:
    if mail_servers.program() is not None:
        return []
    print(NO_DOVECOT, flush=True)
    return ["--ignore", "tests/app/desk/flows/mail/test_read_mailbox.py"]


def _corpora_arguments() -> list[str]:
    if corpora.folder().is_dir():
        return []
    print(NO_CORPORA.format(corpora.folder()), flush=True)
    return ["-m", "not corpora"]


def main(arguments: list[str]) -> int:
    """Run every step; the exit status is 0 only when all of them passed."""
    failed = []
    for name, command in STEPS:
        print(f"── {name}: {' '.join(command)}", flush=True)
        if _run(command) != 0:
            failed.append(name)
    if failed:
        print(f"These steps failed: {', '.join(failed)}. The tests run all the same.", flush=True)
    left_out = (*_browser_arguments(), *_mail_arguments(), *_corpora_arguments())
    status = _run(["pytest", *PROCESSES, *left_out, *arguments])
    return status or len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
