#!/bin/sh
# Prints the first Python of at least 3.12 that really runs and can make virtual environments.
# Candidates are tried by running them, because a version manager's shim may exist and yet fail.
works() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}
for candidate in python3.14 python3.13 python3.12 python3 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do
    if command -v "$candidate" >/dev/null 2>&1 && works "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done
if command -v uv >/dev/null 2>&1; then
    candidate=$(uv python find '>=3.12' 2>/dev/null)
    if [ -n "$candidate" ] && works "$candidate"; then
        echo "$candidate"
        exit 0
    fi
fi
echo "phonehome needs Python 3.12 or newer with its venv module: install it (Debian, Ubuntu: apt install python3.12-venv; macOS: brew install python@3.13; elsewhere: https://www.python.org/downloads/) and run make again." >&2
exit 1
