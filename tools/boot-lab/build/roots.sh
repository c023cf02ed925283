# shellcheck shell=bash
# Roots of Debian, kept in the cache beside the labs: `plain` (cloud-init, no Docker), `docker` (the same with Debian's
# Docker) and `image` (what the stand-ins are cut from).
: "${cache:?}"

suite=trixie
plain_packages='systemd systemd-sysv systemd-resolved dbus udev cloud-init ca-certificates curl openssl iptables
  openssh-server linux-image-cloud-amd64 iproute2 netbase dhcpcd-base unattended-upgrades procps tini libdevmapper1.02.1'
docker_packages='docker.io docker-cli docker-compose'

# The mirror that this machine uses: the first that Debian's own sources name.
mirror() {
  { cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true; } |
    sed -nE 's#^(URIs:|deb)[^h]*(https?://[^ ]+/debian/?)( .*)?$#\2#p' | sed -n 1p
}

build_roots() {
  local versions
  versions=$(printf '%s' "$suite $plain_packages $docker_packages $(declare -f make_minimal install_into)" | sha256sum | cut -c1-12)
  roots=$cache/roots-$versions
  if [ -e "$roots/built" ]; then return; fi
  rm -rf "$cache"/roots-*
  mkdir -p "$roots"
  make_minimal "$roots/minimal"
  cp -a --reflink=auto "$roots/minimal" "$roots/plain"
  # Only what the virtual machine's devices need: a small initrd is read and unpacked sooner.
  mkdir -p "$roots/plain/etc/initramfs-tools/conf.d"
  echo 'MODULES=list' >"$roots/plain/etc/initramfs-tools/conf.d/boot-lab"
  printf '%s\n' virtio_pci virtio_blk virtio_net ext4 >"$roots/plain/etc/initramfs-tools/modules"
  # shellcheck disable=SC2086
  install_into "$roots/plain" $plain_packages
  (cd "$roots/plain/var/cache/apt/archives" && rm -f ./*.deb)
  mkdir -p "$roots/debs"
  # shellcheck disable=SC2086
  (in_root "$roots/plain" sh -c "cd /tmp && apt-get -qq download $docker_packages containerd runc")
  mv "$roots"/plain/tmp/*.deb "$roots/debs/"
  cp -a --reflink=auto "$roots/plain" "$roots/docker"
  # shellcheck disable=SC2086
  install_into "$roots/docker" $docker_packages
  mv "$roots/minimal" "$roots/image"
  rm -rf "$roots"/image/usr/share/{doc,man,locale,info}
  files_of "$roots/image" >"$roots/image.minimal"
  install_into "$roots/image" postgresql
  files_of "$roots/image" >"$roots/image.postgres"
  install_into "$roots/image" nodejs node-pg caddy
  files_of "$roots/image" >"$roots/image.all"
  touch "$roots/built"
}

make_minimal() { # folder
  debootstrap --variant=minbase "$suite" "$1" "$(mirror)"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 0755 "$1/usr/sbin/policy-rc.d"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$1/etc/dpkg/dpkg.cfg.d/boot-lab"
  echo force-unsafe-io >>"$1/etc/dpkg/dpkg.cfg.d/boot-lab"
}

# Some packages cannot be configured without /proc.
in_root() { # folder, command
  local root=$1
  shift
  mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
  chroot "$root" "$@"
  umount "$root/proc"
}

install_into() { # folder, packages
  local root=$1
  shift
  in_root "$root" apt-get install --yes -qq --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
  rm -f "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin
}

files_of() { # folder
  (cd "$1" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./var/cache -o -path ./var/lib/apt \
    -o -path ./tmp -o -path ./usr/share/perl -o -path ./usr/lib/x86_64-linux-gnu/perl \) -prune -o ! -type d -print | sort)
}
