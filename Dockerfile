# One image for every part: `deskbridge run`, `migrate`, `backup`, …  Build it with: docker build -t deskbridge .
# Python and Debian are named by version and not by digest, so that building anew takes in their security fixes;
# every library is exactly that of uv.lock.

FROM python:3.11-slim-bookworm AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/deskbridge UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
WORKDIR /src
RUN python -m venv /opt/uv && /opt/uv/bin/python -m pip install -qq --no-cache-dir --disable-pip-version-check "uv==0.13.*"
# The libraries change less often than the desk: a layer of their own.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv --quiet sync --frozen --no-dev --no-install-project
COPY README.md LICENSE ./
COPY core core
COPY bot bot
RUN /opt/uv/bin/uv --quiet sync --frozen --no-dev --no-editable

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Deskbridge" \
      org.opencontainers.image.description="A self-hosted help desk that lives inside messengers" \
      org.opencontainers.image.licenses="MIT"
# Nobody in particular, with the same number everywhere, so that volumes can be given to it.
RUN groupadd --gid 10001 deskbridge \
 && useradd --uid 10001 --gid deskbridge --no-create-home --home-dir /data --shell /usr/sbin/nologin deskbridge \
 && install --directory --owner=deskbridge --group=deskbridge --mode=0700 /data \
 && install --directory /config
COPY --from=build /opt/deskbridge /opt/deskbridge
ENV PATH=/opt/deskbridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    DESKBRIDGE_DATABASE__URL=sqlite+aiosqlite:////data/deskbridge.db \
    DESKBRIDGE_DESK__FILES=/data/files \
    DESKBRIDGE_WEB__HOST=0.0.0.0 \
    DESKBRIDGE_WEB__PORT=8080
# config.toml is read from here, if it is there. Only /data and /tmp are written: run it with a read-only root.
WORKDIR /config
VOLUME /data
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-IS", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["deskbridge"]
CMD ["run"]
