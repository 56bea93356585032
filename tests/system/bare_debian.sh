#!/usr/bin/env bash
# Proves the README's promise: a Debian 12 with nothing but git, make and Python, and `make run DEMO=1` shows a visit.
#
#   sudo tests/system/bare_debian.sh [FOLDER]    what the demo left is copied to FOLDER (default build/bare-debian)
#
# Run by hand, as root: it makes a minimal root with mmdebstrap, clones the last commit into it and runs it there in its own
# mount, process and IPC namespaces, so everything is gone when it ends. Where packages come from is the host's matter: its
# apt sources, its pip settings and the files they name are handed in at run time. Needs 2 GB in TMPDIR, some minutes, and
# the demo's two ports.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$top/build/bare-debian}
suite=bookworm

((EUID == 0)) || { echo "This needs root: sudo $0" >&2; exit 2; }
command -v mmdebstrap >/dev/null || { echo "This needs mmdebstrap: apt-get install mmdebstrap" >&2; exit 2; }

work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf --one-file-system "$work"' EXIT
step() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

step "settings of this host: apt sources and options, pip configuration"
if command -v apt-get >/dev/null && apt-get indextargets --format '$(ORIGIN)' | grep -qx Debian; then
    apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT) @$(ORIGIN)' |
        sed -n "s/^\(deb .* $suite[^ ]* .*\) @Debian$/\1/p" | sort -u >"$work/sources.list"
    apt-config dump Acquire | grep '^Acquire::[a-zA-Z:-]* "' >"$work/apt.conf" || true
fi
touch "$work/sources.list" "$work/apt.conf"
python3 - "$work" <<'PY'
"""Writes pip.conf from what pip says it is set to, and the list of files and folders that it points to.

Those will be mounted below /mnt/host, where no package of the new system wants to write.
"""
import ast, re, subprocess, sys
from pathlib import Path

work = Path(sys.argv[1])
listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
sections, paths = {}, set()
for line in listed.splitlines():
    key, _, value = line.partition("=")
    section, _, option = key.rpartition(".")
    value = ast.literal_eval(value)
    for scheme, path in re.findall(r"(file://|(?<![\w/:.]))(/[^\s]+)", value):
        # An index in a folder keeps its files beside it.
        found = Path(path).parent if scheme else Path(path)
        if found.exists():
            paths.add(str(found))
            value = value.replace(path, f"/mnt/host{path}")
    sections.setdefault("global" if section == ":env:" else section, {})[option] = value
with (work / "pip.conf").open("w") as conf:
    for section, options in sections.items():
        conf.write(f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in options.items()))
(work / "paths").write_text("".join(f"{path}\n" for path in sorted(paths)))
PY

step "a minimal Debian 12 with git, make and Python"
sources=()
[[ -s $work/sources.list ]] && sources=("$work/sources.list")
mmdebstrap -q --mode=root --variant=minbase --include=git,make,python3 --aptopt="$work/apt.conf" \
    "$suite" "$work/root" "${sources[@]}"
step "made: $(du -sh "$work/root" | cut -f 1), $(grep -c '^Package:' "$work/root/var/lib/dpkg/status") packages"

git clone -q --no-local "$top" "$work/root/root/frontdesk"
step "cloned $(git -C "$top" log -1 --format='%h %s')"

install -m 644 "$work/pip.conf" "$work/root/etc/pip.conf"
install -m 644 -D /etc/resolv.conf "$work/root/etc/resolv.conf"
install -m 644 /etc/hosts "$work/root/etc/hosts"

step "make run DEMO=1 in it, as a newcomer would"
environment=(HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
for name in http_proxy https_proxy no_proxy; do
    [[ -n ${!name:-} ]] && environment+=("$name=${!name}")
done
status=0
ROOT="$work/root" PATHS="$work/paths" unshare --mount --pid --ipc --fork --kill-child bash -c '
    set -e
    mount --make-rprivate /
    mount -t proc proc "$ROOT/proc"
    mount -t sysfs -o ro sysfs "$ROOT/sys"
    mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
    for node in null zero full random urandom tty; do
        touch "$ROOT/dev/$node"
        mount --bind "/dev/$node" "$ROOT/dev/$node"
    done
    mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$ROOT/dev/pts"
    ln -s pts/ptmx "$ROOT/dev/ptmx"
    ln -s /proc/self/fd "$ROOT/dev/fd"
    for stream in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${stream%%:*}" "$ROOT/dev/${stream#*:}"
    done
    mount -t tmpfs -o mode=1777 tmpfs "$ROOT/dev/shm"
    while read -r path; do
        if [[ -d $path ]]; then mkdir -p "$ROOT/mnt/host$path"; else install -D /dev/null "$ROOT/mnt/host$path"; fi
        mount --bind -o ro "$path" "$ROOT/mnt/host$path"
    done <"$PATHS"
    exec chroot "$ROOT" env -i "$@" python3 /root/frontdesk/tests/system/newcomer.py
' bash "${environment[@]}" </dev/null || status=$?

mkdir -p "$out"
cp -r "$work/root/root/frontdesk/var/demo/." "$out/" 2>/dev/null || true
step "what the demo left is in $out"
((status == 0)) || { step "FAILED with exit code $status"; exit 1; }
step "proved"
