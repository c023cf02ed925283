# shellcheck shell=bash
# The folder `download`: Debian's Docker packages under the names that Docker CE's have, in a signed repository of the
# same layout as https://download.docker.com. Its key is made here, and thrown away: it signs once.
: "${roots:=}" "${suite:=}"

build_docker_repository() {
  local base=download/linux/debian version='5:26.1.5-1~debian.13~trixie'
  local pool=dists/$suite/pool/stable/amd64
  mkdir -p "$base/$pool" "$base/dists/$suite/stable/binary-amd64" packages
  repackage docker.io docker-ce 'containerd.io, docker-ce-cli, iptables, libdevmapper1.02.1, libsystemd0, tini'
  repackage docker-cli docker-ce-cli 'libc6'
  repackage docker-compose docker-compose-plugin 'libc6'
  # Docker CE's containerd has runc in it.
  dpkg-deb -R "$roots"/debs/runc_*.deb packages/runc
  repackage containerd containerd.io 'libc6, libseccomp2' packages/runc/usr
  (
    cd "$base"
    for deb in "$pool"/*.deb; do
      dpkg-deb -f "$deb"
      printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
    done >"dists/$suite/stable/binary-amd64/Packages"
    cd "dists/$suite"
    gzip -9 -n -k stable/binary-amd64/Packages
    {
      printf 'Origin: Docker\nLabel: Docker CE\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: amd64\nComponents: stable\nSHA256:\n' \
        "$suite" "$suite" "$(date -u '+%a, %d %b %Y %T UTC')"
      for file in stable/binary-amd64/Packages*; do
        printf ' %s %s %s\n' "$(sha256sum "$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
      done
    } >Release
  )
  sign "$base"
  rm -rf packages
}

repackage() { # Debian's package, Docker CE's name, dependencies, a folder to add
  local from=$1 name=$2 depends=$3 tree=packages/$2
  dpkg-deb -R "$roots"/debs/"$from"_*.deb "$tree"
  if [ -n "${4:-}" ]; then cp -a "$4" "$tree/"; fi
  sed -i -E "/^(Depends|Recommends|Suggests|Breaks|Replaces|Conflicts|Pre-Depends|Built-Using|Static-Built-Using|Source|Enhances):/d
    /^ /d; s/^Package: .*/Package: $name/; s/^Version: .*/Version: ${version:?}/; s/^Description: .*/&\nDepends: $depends/" \
    "$tree/DEBIAN/control"
  rm -f "$tree/DEBIAN/md5sums"
  dpkg-deb -Zgzip -z1 --root-owner-group -b "$tree" "$base/${pool:?}/${name}_${version#*:}_amd64.deb"
}

sign() { # folder of the distribution
  local home=$PWD/gnupg
  mkdir -m 0700 "$home"
  gpg --homedir "$home" --batch --quiet --passphrase '' --quick-generate-key 'Docker Release (boot lab) <lab@example.com>' rsa3072 sign 10y
  gpg --homedir "$home" --batch --armor --export >"$1/gpg"
  gpg --homedir "$home" --batch --quiet --clearsign -o "$1/dists/$suite/InRelease" "$1/dists/$suite/Release"
  gpg --homedir "$home" --batch --quiet --armor --detach-sign -o "$1/dists/$suite/Release.gpg" "$1/dists/$suite/Release"
  gpgconf --homedir "$home" --kill all
  rm -rf "$home"
}
