#!/bin/sh
# Prints where a Chromium is, for the tests of `clew ui`; installs Debian's if there is none.
set -eu

find_one() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return 0
    done
    return 1
}

find_one && exit 0

if ! command -v apt-get >/dev/null; then
    echo "There is no Chromium here, and no apt-get to install one with." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "There is no Chromium here, and nobody who may install one: apt-get install chromium" >&2
    exit 1
fi
{
    $as_root apt-get install -y --no-install-recommends chromium ||
        { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends chromium; }
} >&2 || {
    echo "Chromium could not be installed." >&2
    exit 1
}
find_one
