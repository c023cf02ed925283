export const AGENT_MANAGER_FOLDER = '/opt/agent-manager';

/**
 * Runs once, as root, in cloud-init's final stage. The same for every server: nothing a caller gave is in it.
 * A failing command in `runcmd` shows nowhere by itself, so the script traps errors and records what failed and where.
 */
export const BOOTSTRAP_SCRIPT = `#!/usr/bin/env bash
# Turns a fresh Debian or Ubuntu into an agent-manager.
set -Eeuo pipefail
umask 077
cd ${AGENT_MANAGER_FOLDER}
mkdir -p status
exec >>status/bootstrap.log 2>&1

step=begin

# Arguments: state, line, exit code.
record() {
  printf '{"step":"%s","state":"%s","line":%s,"exitCode":%s,"at":"%s"}\\n' \\
    "$step" "$1" "$2" "$3" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >status/status.json.new
  mv status/status.json.new status/status.json
}

begin() {
  step="$1"
  record running 0 0
  echo "== $step"
}

failed() {
  trap - ERR
  record failed "$1" "$2"
  echo "== $step failed in line $1 with exit code $2"
  exit "$2"
}
trap 'failed "$LINENO" "$?"' ERR

# Downloads fail now and then: up to eight times, with a growing pause.
retry() {
  local attempt=1
  until "$@"; do
    if [ "$attempt" -ge 8 ]; then return 1; fi
    sleep "$attempt"
    attempt=$((attempt + 1))
  done
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
}

install_docker() {
  local id codename
  # shellcheck source=/dev/null
  id="$(. /etc/os-release && echo "$ID")"
  # shellcheck source=/dev/null
  codename="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  if ! command -v curl >/dev/null; then
    retry apt_get update
    retry apt_get install --yes --no-install-recommends ca-certificates curl
  fi
  install -m 0755 -d /etc/apt/keyrings
  retry curl -fsSL "https://download.docker.com/linux/$id/gpg" -o /etc/apt/keyrings/docker.asc
  printf 'Types: deb\\nURIs: https://download.docker.com/linux/%s\\nSuites: %s\\nComponents: stable\\nArchitectures: %s\\nSigned-By: /etc/apt/keyrings/docker.asc\\n' \\
    "$id" "$codename" "$(dpkg --print-architecture)" >/etc/apt/sources.list.d/docker.sources
  # apt reads both as a user of its own.
  chmod 0644 /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources
  retry apt_get update
  retry apt_get install --yes --no-install-recommends docker-ce docker-ce-cli containerd.io docker-compose-plugin
}

# Images that are here already, from a snapshot or a provider's image, will do when they cannot be pulled.
pull() {
  docker compose pull --quiet --policy missing "$@" || have "$@"
}

have() {
  local image
  for image in $(docker compose config --images "$@"); do
    docker image inspect "$image" >/dev/null 2>&1 || return 1
  done
}

begin docker
if ! docker compose version >/dev/null 2>&1; then install_docker; fi
systemctl enable --now docker
printf 'DOCKER_GID=%s\\n' "$(stat -c %g /var/run/docker.sock)" >.env
# The agent-manager runs as this user.
install -d -o 10001 -g 10001 -m 0750 /opt/agents

begin images
retry pull agent-manager postgres &
pull=$!
retry pull proxy
docker compose up --detach --no-deps proxy
wait "$pull"

begin containers
docker compose up --detach --wait --wait-timeout 900
# A container that ends and starts again counts as running; one that answers works.
retry curl --silent --insecure --output /dev/null --max-time 10 https://127.0.0.1:3000/

begin upkeep
systemctl enable --now agent-manager-certificate.timer
if ! dpkg --status unattended-upgrades >/dev/null 2>&1; then
  apt_get install --yes --no-install-recommends unattended-upgrades || echo "unattended-upgrades is not available"
fi

step=end
record finished 0 0
`;
