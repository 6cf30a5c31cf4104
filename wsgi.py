"""The application for WSGI servers: `gunicorn wsgi`, `flask --app wsgi run`. Importing it opens nothing."""

from app import create_app

application = create_app()
