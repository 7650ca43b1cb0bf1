# The builder has a compiler for LightFM; the final image has none.
FROM python:3.11-slim-bookworm AS builder
WORKDIR /build
# Unpinned, to get Debian's fixes; its stable release does not change versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
# Without flags for this machine: code built with -march=native crashes on other processors.
ENV LIGHTFM_NO_CFLAGS=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --requirement requirements.txt

FROM python:3.11-slim-bookworm
# pg_dump and pg_restore of the server's version (docker-compose.yml), from PostgreSQL's own packages: Debian's are older.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libgomp1 postgresql-common tini \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && apt-get purge --yes --auto-remove postgresql-common \
    && rm -rf /etc/apt/sources.list.d/pgdg.sources /var/lib/apt/lists/* \
    && pg_dump --version && pg_restore --version \
    && useradd --system --uid 10001 --create-home --home-dir /home/movierec movierec \
    && install --directory --owner movierec --group movierec --mode 0700 /data /mnt/backup
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
COPY . .
# The git revision that trainings record: the image has no git.
ARG CODE_REVISION=
ENV CODE_REVISION=$CODE_REVISION
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=movierec.settings \
    VAR_DIR=/data \
    LOG_FORMAT=json \
    HOST=0.0.0.0 \
    PORT=8000 \
    HEALTH_PORT=9000
# Static files are part of the image; they need no secret and no database.
RUN STATIC_ROOT=/app/staticfiles VAR_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build
ENV STATIC_ROOT=/app/staticfiles
USER 10001
VOLUME /data
EXPOSE 8000 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"HEALTH_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "deploy/entrypoint"]
CMD ["web"]
