#!/bin/sh
# Erlang for tests/conformance, from Debian's packages. Exit status 1, and a sentence, where that cannot be done.
set -eu
if command -v erlc >/dev/null; then
    exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "ensure-erlang: install erlang-base by hand; without it conformance with Erlang is not checked" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends erlang-base >/dev/null
