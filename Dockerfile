# One image for all roles: `docker run … aetherflow web|worker-etl|worker-ml|relay|migrate`. See docs/deploy.md.
# Behind a proxy that signs with a CA of its own: docker build --secret id=ca,src=/path/to/ca.crt .

FROM node:22.21.1-bookworm-slim AS dashboard
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN --mount=type=secret,id=ca,required=false \
    if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
    npm ci --no-audit --no-fund --loglevel=error
COPY frontend ./
RUN npm run --silent build

FROM python:3.11.14-slim-bookworm AS packages
COPY requirements/prod.txt ./
RUN --mount=type=secret,id=ca,required=false \
    if [ -f /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    python3 -m venv /opt/aetherflow && \
    /opt/aetherflow/bin/python -m pip install --quiet --no-cache-dir --only-binary :all: --require-hashes -r prod.txt

# Stand-ins of SQS and S3, those of `make up`: docker-compose.stand-in.yml. Nothing of it is in the platform.
FROM python:3.11.14-slim-bookworm AS stand-in
COPY requirements/moto.txt requirements/ministack.txt ./
RUN --mount=type=secret,id=ca,required=false \
    if [ -f /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    for name in moto ministack; do \
        python3 -m venv /opt/$name && \
        /opt/$name/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r $name.txt || exit 1; \
    done
WORKDIR /srv
COPY config/__init__.py ./config/
COPY config/local/__init__.py config/local/moto_endpoint.py ./config/local/
RUN mkdir /data && chown 10001:10001 /data
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001

FROM python:3.11.14-slim-bookworm AS platform
# Signals for process 1 to pass on, and children to bury that outlive a worker.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends tini >/dev/null && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/aetherflow/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    BIND=0.0.0.0 \
    PORT=8000 \
    ALIVE_FILE=/tmp/alive \
    STATIC_ROOT=/srv/static \
    DASHBOARD_DIST=/srv/dashboard
COPY --from=packages /opt/aetherflow /opt/aetherflow
COPY --from=dashboard /build/frontend/dist /srv/dashboard
WORKDIR /srv/aetherflow
COPY aetherflow ./aetherflow
COPY apps ./apps
COPY config ./config
COPY celery_app.py manage.py ./
# Compiled here, as nothing can be written there. The settings need to load, and nobody is asked.
RUN python -m compileall -q . && \
    SECRET_KEY=unused DATABASE_URL=postgres://unused AWS_ENDPOINT_URL_SQS=http://unused LOG_LEVEL=WARNING \
    python manage.py collectstatic --no-input --verbosity 0
RUN groupadd --system --gid 10001 aetherflow && \
    useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin aetherflow && \
    mkdir /work && chown 10001:10001 /work
USER 10001:10001
# Uploads and raw files while they are worked: on disk, since they may be larger than the memory. /work is for a volume
# with a name, where TMPDIR leads there.
VOLUME /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 CMD ["python", "-m", "config.alive"]
# To process 1 alone: the children of a worker that get a SIGTERM die of it.
ENTRYPOINT ["tini", "--", "python", "-m", "config.role"]
CMD ["web"]
