#!/usr/bin/env bash
# Builds the boot lab's disk: Debian 13 with cloud-init and Docker, and stand-ins for the three images loaded into it.
# As root; needs debootstrap, qemu-system-x86, qemu-utils, socat. Argument: a folder for the result (about 6 GB).
set -euo pipefail
lab=$(realpath -m "${1:?a folder for the disk}")
here=$(cd "$(dirname "$0")" && pwd)
# The mirror that this machine uses.
mirror=$({ cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true; } |
  sed -nE 's#^(URIs:|deb)[^h]*(https?://[^ ]+).*#\2#p' | sed -n 1p)
mkdir -p "$lab"
cd "$lab"

bootstrap() { # folder, packages
  if [ -e "$1.done" ]; then return; fi
  rm -rf "$1"
  # python3-cryptography is left unconfigured without /proc; apt finishes it below.
  debootstrap --variant=minbase --include="$2" trixie "$1" "$mirror" || [ -x "$1/usr/bin/apt-get" ]
  mount -t proc proc "$1/proc"
  DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get -y -qq -f install
  umount "$1/proc"
  touch "$1.done"
}

bootstrap server systemd,systemd-sysv,systemd-resolved,dbus,udev,cloud-init,docker.io,docker-cli,docker-compose,ca-certificates,curl,openssl,iptables,openssh-server,linux-image-cloud-amd64,iproute2,netbase,dhcpcd-base,unattended-upgrades
bootstrap image postgresql,caddy,nodejs,node-pg,ca-certificates

# One layer for all three stand-ins.
install -D -m 0755 "$here/image/postgres.sh" image/lab/postgres.sh
install -D -m 0644 "$here/image/agent-manager.js" image/lab/agent-manager.js
ln -sfn "$(cd image && echo usr/lib/postgresql/*/bin/pg_isready | sed 's|^|/|')" image/usr/local/bin/pg_isready
rm -rf image/usr/share/{doc,man,locale} image/var/{cache,lib}/apt/* image/usr/lib/postgresql/*/lib/bitcode
rm -f image/usr/lib/x86_64-linux-gnu/libLLVM* image/usr/lib/llvm-*/lib/libLLVM* image/usr/lib/postgresql/*/lib/llvmjit*
tar -C image -cf layer.tar --exclude=./proc/* --exclude=./dev/* .
layer=sha256:$(sha256sum layer.tar | cut -d' ' -f1)
config() { # file, container configuration
  printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]},"config":%s}' "$layer" "$2" >"$1"
}
path='"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'
config postgres.json "{$path,\"Entrypoint\":[\"/lab/postgres.sh\"]}"
config caddy.json "{$path,\"Cmd\":[\"caddy\",\"run\",\"--config\",\"/etc/caddy/Caddyfile\",\"--adapter\",\"caddyfile\"]}"
config agent.json "{$path,\"User\":\"10001:10001\",\"Cmd\":[\"node\",\"/lab/agent-manager.js\"]}"
cat >manifest.json <<'JSON'
[{"Config":"postgres.json","RepoTags":["postgres:16-alpine"],"Layers":["layer.tar"]},
 {"Config":"caddy.json","RepoTags":["caddy:2-alpine"],"Layers":["layer.tar"]},
 {"Config":"agent.json","RepoTags":["ghcr.io/forepath/agenstra-manager-api:latest"],"Layers":["layer.tar"]}]
JSON
tar -cf images.tar manifest.json postgres.json caddy.json agent.json layer.tar

# A first boot loads the images and switches the machine off; it happens once, here.
mv images.tar server/root/images.tar
cat >server/etc/systemd/system/load-images.service <<'UNIT'
[Unit]
After=docker.service
Requires=docker.service
ConditionPathExists=/root/images.tar
[Service]
Type=oneshot
ExecStart=docker load --input /root/images.tar
ExecStart=rm /root/images.tar
ExecStart=systemctl poweroff
StandardOutput=journal+console
[Install]
WantedBy=multi-user.target
UNIT
chroot server systemctl enable load-images.service systemd-networkd.service systemd-resolved.service docker.service >/dev/null 2>&1
echo 'root:lab' | chroot server chpasswd
rm -f server/etc/machine-id && touch server/etc/machine-id
rm -f base.raw
mke2fs -q -t ext4 -d server -L root base.raw 5G
cp server/boot/vmlinuz-* vmlinuz
cp server/boot/initrd.img-* initrd
rm -f server/root/images.tar layer.tar
timeout 900 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 2048 -nographic -no-reboot -nic none \
  -kernel vmlinuz -initrd initrd -append 'root=/dev/vda rw console=ttyS0 net.ifnames=0 cloud-init=disabled' \
  -drive file=base.raw,format=raw,if=virtio,cache=unsafe >prepare.log 2>&1
tail -2 prepare.log
touch built
