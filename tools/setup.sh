#!/usr/bin/env bash
# Brings a Debian machine to where `make run` (setup.sh run) or `make test` (setup.sh dev) works: the few system packages,
# and the environment in .venv from the lock files. Asks nothing; done already, it says nothing and takes no time.
# pip finds its packages as the user's own pip configuration says; nothing here names a place.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-run}
packages=(libgl1 libegl1 libgl1-mesa-dri libmtdev1 xvfb mosquitto)
case $mode in
    run) ;;
    dev) packages+=(chromium xdotool) ;;
    *) echo "usage: tools/setup.sh [run|dev]" >&2; exit 2 ;;
esac

say() { printf '%s\n' "$*" >&2; }

# Kivy has wheels for 3.11 to 3.13 only; the first Python that fits is taken.
find_python() {
    local candidate
    for candidate in python3 python3.11 python3.12 python3.13; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Frontdesk needs Python 3.11, 3.12 or 3.13; found: $(python3 --version 2>&1 || true)."
    say "Install one of them (Debian 12: apt-get install python3), then run this again."
    return 1
}

missing_packages() {
    local package installed
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo python3-venv
    fi
    # From Debian 13 on some libraries carry t64 behind their name; unknown names are no error here.
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" "${packages[@]/%/t64}" 2>/dev/null || true)
    for package in "${packages[@]}"; do
        grep -qE "^$package(t64)? installed$" <<<"$installed" || echo "$package"
    done
}

# Our broker runs on a port and a configuration of its own. So Debian's Mosquitto service, when it comes with the package
# now, is neither started nor enabled; one that was there before is left as it is.
install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    local policy=/usr/sbin/policy-rc.d new_mosquitto=no
    if [[ " $* " == *" mosquitto "* ]]; then
        new_mosquitto=yes
        if [[ ! -e $policy ]]; then
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
        fi
    fi
    apt-get update -qq || echo "apt-get update had problems; trying with the lists at hand." >&2
    # What goes wrong comes on stderr; the rest is hundreds of lines.
    apt-get install -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/dev/null
    if [[ $new_mosquitto == yes ]]; then
        update-rc.d mosquitto disable
    fi
}

python=$(find_python)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is no Debian: make sure that these, or what they are called here, are installed: ${packages[*]}"
else
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]})); then
        say "Installing system packages: ${missing[*]}"
        script="$(declare -f install_packages); set -e; install_packages ${missing[*]}"
        if ((EUID == 0)); then
            bash -c "$script" </dev/null >&2
        elif sudo -n true 2>/dev/null; then
            sudo -n bash -c "$script" </dev/null >&2
        else
            say "That needs root. Run this one command, then the same again:"
            say "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${missing[*]}'"
            exit 1
        fi
    fi
fi

# An environment for development serves for running too: the dev lock holds all of the run lock.
stamp=.venv/.frontdesk
wanted=$(cat requirements/run.lock requirements/dev.lock pyproject.toml | sha256sum | cut -d ' ' -f 1)
have=$(cat "$stamp" 2>/dev/null || true)
if [[ -x .venv/bin/python ]] && [[ $have == "dev $wanted" || $have == "$mode $wanted" ]]; then
    exit 0
fi

# A virtual environment knows its own path and its Python; one that was moved or whose Python is gone is made anew.
if [[ "$(.venv/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null)" != "$PWD/.venv" ]] ||
    ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "Making the environment in .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi
say "Installing Python packages from requirements/$mode.lock"
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "requirements/$mode.lock" </dev/null >&2
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . </dev/null >&2
echo "$mode $wanted" >"$stamp"
