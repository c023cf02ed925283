# shellcheck shell=bash
# The disks `docker.raw` and `plain.raw`, kernel and initrd, the lab's own certificate authority and SSH key.
: "${roots:=}" "${here:?}"

build_disks() {
  certificates
  ssh-keygen -q -t ed25519 -N '' -C boot-lab -f ssh-key
  local variant
  for variant in docker plain; do
    cp -a --reflink=auto "$roots/$variant" "$variant"
    prepare "$variant"
    rm -f "$variant.raw"
    mke2fs -q -t ext4 -E lazy_itable_init=1,nodiscard -d "$variant" -L root "$variant.raw" 6G
  done
  cp -L docker/vmlinuz vmlinuz
  cp -L docker/initrd.img initrd
  # `docker compose config` is asked in this root, without a machine.
  rm -rf plain
  mv docker root
}

# Trusted inside the lab's disks only. Its key is not kept.
certificates() {
  local names='DNS:registry-1.docker.io,DNS:ghcr.io,DNS:download.docker.com,DNS:controller.lab.example'
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=Boot lab' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout ca.key -out ca.pem 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=boot-lab' -keyout tls.key -out tls.csr 2>/dev/null
  openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out tls.pem \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names") 2>/dev/null
  rm -f ca.key tls.csr ca.srl
}

prepare() { # root
  local root=$1
  install -D -m 0644 "$here/disk/hosts" "$root/etc/hosts"
  install -D -m 0644 ca.pem "$root/usr/local/share/ca-certificates/boot-lab.crt"
  chroot "$root" update-ca-certificates >/dev/null
  install -D -m 0644 "$here/disk/sshd.conf" "$root/etc/ssh/sshd_config.d/boot-lab.conf"
  install -D -m 0644 "$here/disk/wait-online.conf" "$root/etc/systemd/system/systemd-networkd-wait-online.service.d/boot-lab.conf"
  install -D -m 0644 ssh-key.pub "$root/etc/ssh/lab_authorized_keys"
  local name
  for name in lab-prepare lab-processes; do
    install -D -m 0755 "$here/disk/$name.sh" "$root/usr/local/lib/$name.sh"
    install -D -m 0644 "$here/disk/$name.service" "$root/etc/systemd/system/$name.service"
    chroot "$root" systemctl enable "$name.service" >/dev/null 2>&1
  done
  chroot "$root" systemctl enable systemd-networkd.service systemd-resolved.service >/dev/null 2>&1
  # Packages come from the lab's repository only: no boot depends on a mirror.
  rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
  rm -f "$root/usr/sbin/policy-rc.d" "$root"/etc/ssh/ssh_host_*
  ln -sfn /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
  : >"$root/etc/machine-id"
  echo 'root:lab' | chroot "$root" chpasswd
}
