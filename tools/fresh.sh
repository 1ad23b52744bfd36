#!/usr/bin/env bash
# Tries the README in a bare Debian 12: debootstrap, a clone of what is committed, ./demo.sh as an ordinary
# user with sudo and ./test.sh as root, empty homes. What only works because of something
# installed by hand fails here. Needs root or sudo, debootstrap, some 6 GB and a Debian mirror.
#   tools/fresh.sh [--demo-only]     GEMEL_MIRROR, GEMEL_FRESH_ROOT choose mirror and folder
set -euo pipefail
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
mirror="${GEMEL_MIRROR:-http://deb.debian.org/debian}"
if [ "$(id -u)" -ne 0 ]; then
  exec sudo GEMEL_MIRROR="$mirror" GEMEL_FRESH_ROOT="${GEMEL_FRESH_ROOT:-}" "$0" "$@"
fi
git="git -c safe.directory=$repository -C $repository"
[ -z "$($git status --porcelain)" ] || echo "fresh: what is not committed is not tried" >&2
if [ -n "${GEMEL_FRESH_ROOT:-}" ] && [ -n "$(ls -A "$GEMEL_FRESH_ROOT" 2>/dev/null)" ]; then
  echo "fresh: $GEMEL_FRESH_ROOT is not empty, and it would be deleted afterwards" >&2
  exit 2
fi
root="${GEMEL_FRESH_ROOT:-$(mktemp -d /var/tmp/gemel-fresh.XXXXXX)}"

inside() { # user command…
  local user="$1"
  shift
  chroot "$root" /usr/bin/env -i HOME="$(chroot "$root" getent passwd "$user" | cut -d: -f6)" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    setpriv --reuid "$user" --regid "$user" --init-groups /bin/bash -c "$*"
}
clean_up() {
  umount "$root/proc" 2>/dev/null || true
  umount -R -l "$root/dev" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap clean_up EXIT
mkdir -p "$root"
chmod 755 "$root" # it is the ordinary user's / as well

debootstrap --variant=minbase --include=ca-certificates,git,sudo bookworm "$root" "$mirror" >/dev/null
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# What the network here needs, and no other habit of this machine.
grep -hrE '^ *Acquire::' /etc/apt/apt.conf.d/ /etc/apt/apt.conf 2>/dev/null \
  >"$root/etc/apt/apt.conf.d/99network" || true
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"

chroot "$root" useradd -m -s /bin/bash patient
echo 'patient ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/patient"
git -c safe.directory="$repository" clone -q --no-local "$repository" "$root/home/patient/gemel"
chroot "$root" chown -R patient:patient /home/patient
git -c safe.directory="$repository" clone -q --no-local "$repository" "$root/root/gemel"

inside patient 'cd ~/gemel && ./demo.sh'
if [ "${1:-}" != --demo-only ]; then
  inside root 'cd ~/gemel && ./test.sh'
fi
echo "fresh: README's commands work on a bare Debian 12"
