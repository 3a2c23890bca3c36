#!/bin/sh
# The types in the page's comments are checked by TypeScript, which needs node. Install Debian's when it is missing and we may.
set -eu

if command -v npm >/dev/null 2>&1; then
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
    if ! sudo -n true 2>/dev/null; then
        as_root="none"
    fi
fi

if [ "$as_root" != "none" ] && command -v apt-get >/dev/null 2>&1; then
    echo "npm is missing; installing it with apt-get"
    if $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm; then
        exit 0
    fi
fi

cat >&2 <<'TEXT'
No npm, and it could not be installed here; the types of the page cannot be checked.
Install it, for example:  sudo apt-get install nodejs npm
TEXT
exit 1
