#!/bin/sh
# The browser tests need a chromium. Install Debian's when it is missing and we may; otherwise say what will be skipped.
set -eu

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
    if ! sudo -n true 2>/dev/null; then
        as_root="none"
    fi
fi

if [ "$as_root" != "none" ] && command -v apt-get >/dev/null 2>&1; then
    echo "chromium is missing; installing it with apt-get"
    if $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; then
        exit 0
    fi
fi

cat >&2 <<'TEXT'
*******************************************************************************
* No chromium, and it could not be installed here.                            *
* SKIPPED: every test in tests/browser (dashboard, accessibility, load).      *
* Install it, for example:  sudo apt-get install chromium                     *
*******************************************************************************
TEXT
