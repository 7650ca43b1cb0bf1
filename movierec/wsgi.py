"""The WSGI entry point."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "movierec.settings")

application = get_wsgi_application()

if not settings.EMBEDDED:
    from movierec import bounded_waits  # psycopg2 is not needed elsewhere

    bounded_waits.install()
