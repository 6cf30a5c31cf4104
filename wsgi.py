"""The application for WSGI servers: `gunicorn wsgi`, `flask --app wsgi run`. Importing it opens nothing."""

from app import create_app
from app.core.errors import SettingError

try:
    application = create_app()
except SettingError as error:
    raise SystemExit(str(error)) from None
