#!/usr/bin/env bash
# Builds the boot lab: two disks (Debian 13 with and without Docker), a registry with stand-ins for the three images,
# and an apt repository of the layout of Docker CE's. As root; needs debootstrap, e2fsprogs, openssl, gpg and ssh-keygen.
# The last line of stdout names the folder. It is kept in BOOT_LAB_CACHE and made anew when what it is made of changes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# Mounts of its own, which are gone when this script is, however it ends.
if [ "${BOOT_LAB_UNSHARED:-}" != 1 ]; then exec env BOOT_LAB_UNSHARED=1 unshare --mount "$here/build.sh" "$@"; fi
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
cache=${BOOT_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/agent-controller/boot-lab}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/lock"
flock 9

key=$(cd "$here" && cat build.sh build/* image/* disk/* | sha256sum | cut -c1-16)
lab=$cache/lab-$key
if [ -e "$lab/built" ]; then
  echo "$lab"
  exit 0
fi
# Those of other versions are of no use any more.
rm -rf "$cache"/lab-* "$cache"/*.new
work=$lab.new
mkdir -p "$work"
cd "$work"

# shellcheck source=tools/boot-lab/build/roots.sh
. "$here/build/roots.sh"
# shellcheck source=tools/boot-lab/build/registry.sh
. "$here/build/registry.sh"
# shellcheck source=tools/boot-lab/build/docker-repository.sh
. "$here/build/docker-repository.sh"
# shellcheck source=tools/boot-lab/build/disks.sh
. "$here/build/disks.sh"

step() { echo "boot lab: $(date -u +%T) $*" >&2; }
step 'roots'
build_roots >&2
step 'registry'
build_registry >&2
step "Docker CE's repository"
build_docker_repository >&2
step 'disks'
build_disks >&2
touch built
cd "$cache"
mv "$work" "$lab"
step "done: $(du -sh "$lab" | cut -f1)"
echo "$lab"
