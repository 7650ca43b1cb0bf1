# Two images: `web` contains the libraries for web, Beat and Flower; `worker` (the default) adds those for workers and
# MLflow. To use your own registry: --build-arg PYTHON_IMAGE=registry.example.org/python:3.11-slim-trixie.
ARG PYTHON_IMAGE=python:3.11-slim-trixie

# The builder stages contain a compiler for LightFM; the final images do not.
FROM ${PYTHON_IMAGE} AS web-builder
WORKDIR /build
# Build without machine-specific flags: code built with -march=native crashes on other processors.
ENV LIGHTFM_NO_CFLAGS=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements-web.txt .
# Only imported modules get bytecode, in a later step: bytecode for all libraries would be a fifth of the image.
RUN /opt/venv/bin/pip install --no-compile --requirement requirements-web.txt
# Remove the libraries' own tests, and the sources of compiled modules.
RUN find /opt/venv -type d -name tests -prune -exec rm -r {} + \
    && find /opt/venv -type f \( -name '*.po' -o -name '*.pyx' -o -name '*.c' \) -delete

FROM web-builder AS worker-builder
# Unpinned, to get Debian's security fixes; versions do not change within its stable release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements*.txt ./
RUN /opt/venv/bin/pip install --no-compile --requirement requirements-dvc.txt
RUN find /opt/venv -type d -name tests -prune -exec rm -r {} + \
    && find /opt/venv -type f \( -name '*.po' -o -name '*.pyx' -o -name '*.c' \) -delete

FROM ${PYTHON_IMAGE} AS base
# pg_dump and pg_restore in the same version as the server (docker-compose.yml).
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libgomp1 postgresql-client-17 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --gid 0 --no-create-home --home-dir /tmp movierec \
    # Any other user (`user: "12345"`) belongs to group 0 and can also write there.
    && install --directory --owner movierec --group root --mode 2770 /data /mnt/backup
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    USER=movierec \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=movierec.settings \
    VAR_DIR=/data \
    LOG_FORMAT=json \
    DVC_DIR=/data \
    STATIC_ROOT=/app/staticfiles \
    HOST=0.0.0.0 \
    PORT=8000 \
    HEALTH_PORT=9000
VOLUME /data
EXPOSE 8000 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"HEALTH_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "deploy/entrypoint"]
CMD ["web"]

FROM base AS web
COPY --from=web-builder /opt/venv /opt/venv
COPY . .
# Static files and bytecode are part of the image, because services cannot write to it.
RUN python -m compileall -q . \
    && VAR_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && VAR_DIR=/tmp/build python -c "import runpy; runpy.run_path('deploy/gunicorn.py')['on_starting'](None)" \
    && rm -rf /tmp/build
# The git revision that trainings record, because the image has no git. Without a RUN that uses it, Podman would reuse
# the cached layer of an older revision.
ARG CODE_REVISION=
RUN : "$CODE_REVISION"
ENV CODE_REVISION=$CODE_REVISION
USER 10001

FROM base AS worker
COPY --from=worker-builder /opt/venv /opt/venv
COPY --from=web /app /app
RUN VAR_DIR=/tmp/build python -c "import runpy; runpy.run_path('deploy/gunicorn.py')['on_starting'](None); \
        import dvc.cli, implicit.als, lightfm, mlflow.pyfunc, mlflow.server, s3fs, mlops.training.pipeline, mlops.tuning.search" \
    && rm -rf /tmp/build
ARG CODE_REVISION=
RUN : "$CODE_REVISION"
ENV CODE_REVISION=$CODE_REVISION
USER 10001
