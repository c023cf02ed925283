# shellcheck shell=bash
# The folder `registry`, in the form in which a registry answers: `<repository>/manifests/<tag>` and `blobs/<digest>`.
: "${roots:=}" "${here:?}"

build_registry() {
  local image=$roots/image pg
  mkdir -p registry/blobs layers
  install -D -m 0755 -t "$image/lab" "$here"/image/*.sh
  install -D -m 0644 -t "$image/lab" "$here"/image/*.js
  pg=$(cd "$image" && echo usr/lib/postgresql/*/bin/pg_isready)
  ln -sfn "/$pg" "$image/usr/local/bin/pg_isready"
  # Its compiler of expressions is larger than all the rest.
  local unwanted='libLLVM|llvmjit|/bitcode/|libz3|/icu/|/i18n/|/gconv/'
  layer minimal <(grep -vE "$unwanted" "$roots/image.minimal")
  layer postgres <(comm -13 "$roots/image.minimal" "$roots/image.postgres" | grep -vE "$unwanted" && echo ./usr/local/bin/pg_isready)
  layer node <(comm -13 "$roots/image.postgres" "$roots/image.all" | grep -vE "$unwanted|/bin/caddy$")
  # Lists name no folders: those with a mode or an owner of their own come here.
  chroot "$image" install -d -m 1777 /tmp
  chroot "$image" install -d -o postgres -g postgres -m 2775 /run/postgresql
  layer lab <(cd "$image" && find ./lab -type f && printf '%s\n' ./tmp ./run/postgresql)
  # As in the official image: cap_net_bind_service=ep, without which the program does not start.
  python3 -c 'import os, struct, sys; os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))' \
    "$image/usr/bin/caddy"
  layer caddy <(echo ./usr/bin/caddy && echo ./etc/passwd && libraries "$image" /usr/bin/caddy)

  local env='"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'
  image library/postgres 16-alpine "{$env,\"Entrypoint\":[\"/lab/postgres.sh\"]}" minimal postgres lab
  # As in the official image: the rest of its file system may be read-only.
  local caddy_env="${env%]},\"XDG_CONFIG_HOME=/config\",\"XDG_DATA_HOME=/data\"]"
  image library/caddy 2-alpine "{$caddy_env,\"Cmd\":[\"caddy\",\"run\",\"--config\",\"/etc/caddy/Caddyfile\",\"--adapter\",\"caddyfile\"]}" caddy
  image forepath/agenstra-manager-api latest "{$env,\"User\":\"10001:10001\",\"Cmd\":[\"node\",\"/lab/agent-manager.js\"]}" minimal postgres node lab
  # For the failure cases.
  image lab/postgres-broken 1 "{$env,\"Entrypoint\":[\"/lab/postgres-broken.sh\"]}" minimal postgres lab
  image lab/agent-crash 1 "{$env,\"User\":\"10001:10001\",\"Cmd\":[\"node\",\"/lab/agent-crash.js\"]}" minimal postgres node lab
  rm -rf layers
}

libraries() { # root, program: what its dynamic linker loads, each with where its links lead
  local path
  for path in $(chroot "$1" ldd "$2" | grep -oE '/[^ ]+'); do
    # /lib and /lib64 lead into /usr.
    echo "./usr${path#/usr}"
    chroot "$1" realpath "$path" | sed 's#^#.#'
  done
  printf '%s\n' ./lib ./lib64
}

layer() { # name, list of files
  tar -C "$roots/image" --format=pax --xattrs --xattrs-include=security.capability --no-recursion --ignore-failed-read -T <(sort -u "$2") -cf "layers/$1.tar"
  sha256sum "layers/$1.tar" | cut -d' ' -f1 >"layers/$1.diff"
  gzip -4 -n "layers/$1.tar"
  blob "layers/$1.tar.gz" >"layers/$1.blob"
}

blob() { # file; prints digest and size
  local digest
  digest=sha256:$(sha256sum "$1" | cut -d' ' -f1)
  mv "$1" "registry/blobs/$digest"
  echo "$digest" "$(stat -c %s "registry/blobs/$digest")"
}

descriptor() { # media type, digest, size
  printf '{"mediaType":"%s","digest":"%s","size":%s}' "$@"
}

image() { # repository, tag, container configuration, layers
  local repository=$1 tag=$2 config=$3 name digest size diffs='' descriptors=''
  shift 3
  for name in "$@"; do
    read -r digest size <"layers/$name.blob"
    diffs+=",\"sha256:$(cat "layers/$name.diff")\""
    descriptors+=",$(descriptor application/vnd.docker.image.rootfs.diff.tar.gzip "$digest" "$size")"
  done
  printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]},"config":%s}' \
    "${diffs#,}" "$config" >layers/config.json
  read -r digest size < <(blob layers/config.json)
  mkdir -p "registry/$repository/manifests"
  printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":%s,"layers":[%s]}' \
    "$(descriptor application/vnd.docker.container.image.v1+json "$digest" "$size")" "${descriptors#,}" \
    >"registry/$repository/manifests/$tag"
}
