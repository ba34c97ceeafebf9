# The production image: web, worker, beat and migrate are the same one with different commands.
FROM python:3.11-slim AS built
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements/base.txt requirements/
RUN /venv/bin/pip install --require-hashes -r requirements/base.txt
COPY . .
# Demo mode would need no secrets either, but only production writes the static files' manifest:
# these values are used for this one step and are not kept in the image.
RUN MIANYUE_MODE=test /venv/bin/python manage.py compile_translations \
 && MIANYUE_MODE=production PUBLIC_URL=https://build.invalid SECRET_KEY=build-step-only \
    NATIONAL_ID_KEYS=YnVpbGQtc3RlcC1vbmx5LW5vdC1hLXJlYWwta2V5LTA= NATIONAL_ID_HASH_KEY=build-step-only \
    DATABASE_URL=postgresql://build.invalid REDIS_URL=redis://build.invalid \
    HOTLINE=build-step-only HELP_MAILBOX=build@build.invalid \
    /venv/bin/python manage.py collectstatic --no-input

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home mianyue
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MIANYUE_MODE=production \
    PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
WORKDIR /app
COPY --from=built /venv /venv
COPY --from=built /app /app
USER mianyue
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--workers-kill-timeout", "20", \
     "--respawn-failed-workers", "config.wsgi:application"]
