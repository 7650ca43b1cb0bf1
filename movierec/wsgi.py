"""The WSGI entry point."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from movierec import bounded_waits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "movierec.settings")

if settings.TRACING:
    import_module("movierec.tracing").instrument_web()

application = get_wsgi_application()

if not settings.EMBEDDED:
    bounded_waits.install()
