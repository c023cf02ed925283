import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import { STATUS_FOLDER } from './status-report';

/**
 * Runs once, as root, in cloud-init's final stage. The same for every server: nothing a caller gave is in it.
 * A failing command in `runcmd` shows nowhere by itself, so the script traps errors and reports the stage, the cause
 * and its last lines. Pulls run side by side, the proxy's first; PostgreSQL starts while the agent-manager is pulled.
 */
export const BOOTSTRAP_SCRIPT = `#!/usr/bin/env bash
# Turns a fresh Debian or Ubuntu into an agent-manager.
set -Eeuo pipefail
umask 077
cd ${AGENT_MANAGER_FOLDER}
mkdir -p status ${STATUS_FOLDER}-log
exec >>${STATUS_FOLDER}-log/bootstrap.log 2>&1

stage=docker
cause=''
declare -A pulls

# A report that fails must not stop the work.
report() {
  python3 report.py "$@" || echo "report.py $1 failed"
}

# Arguments: stage, and what it means when that fails.
stage_is() {
  stage="$1"
  cause="$2"
  echo "== $stage"
}

keep() {
  cp ${STATUS_FOLDER}-log/bootstrap.log ${STATUS_FOLDER}/status.json status/ || true
}

failed() {
  trap - ERR
  set +e
  echo "== $stage failed in line $1 with exit code $2: $cause"
  report fail "$stage" "$1" "$2" "$cause"
  keep
  # Where the proxy never ran, the server itself says what happened.
  if [ -z "$(docker compose ps --quiet --status running proxy 2>/dev/null)" ]; then
    docker compose stop proxy
    # Without the key nobody would believe it: there are only the reports.
    if [ ! -s tls/key.pem ]; then exit "$2"; fi
    systemd-run --quiet --unit=agent-manager-status --property=CapabilityBoundingSet= --property=NoNewPrivileges=yes \\
      --property=ProtectSystem=strict --property=MemoryMax=64M "$(command -v python3)" "$PWD/report.py" serve
  fi
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

# Small servers would run out of memory at the first peak.
add_swap() {
  local memory free
  memory="$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
  free="$(df --output=avail / | tail -n 1)"
  if [ "$memory" -gt 3000000 ] || [ "$free" -lt 4000000 ] || [ -n "$(swapon --noheadings)" ]; then return; fi
  fallocate --length 1G /swapfile
  mkswap /swapfile
  swapon /swapfile
  echo '/swapfile none swap sw 0 0' >>/etc/fstab
}

need_curl() {
  if command -v curl >/dev/null && command -v openssl >/dev/null; then return; fi
  retry apt_get update
  retry apt_get install --yes --no-install-recommends ca-certificates curl openssl
}

install_docker() {
  local id codename
  # shellcheck source=/dev/null
  id="$(. /etc/os-release && echo "$ID")"
  # shellcheck source=/dev/null
  codename="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  need_curl
  install -m 0755 -d /etc/apt/keyrings
  retry curl -fsSL "https://download.docker.com/linux/$id/gpg" -o /etc/apt/keyrings/docker.asc
  printf 'Types: deb\\nURIs: https://download.docker.com/linux/%s\\nSuites: %s\\nComponents: stable\\nArchitectures: %s\\nSigned-By: /etc/apt/keyrings/docker.asc\\n' \\
    "$id" "$codename" "$(dpkg --print-architecture)" >/etc/apt/sources.list.d/docker.sources
  # apt reads both as a user of its own.
  chmod 0644 /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources
  retry apt_get update
  retry apt_get install --yes --no-install-recommends docker-ce docker-ce-cli containerd.io docker-compose-plugin
}

# For the containers that the agent-manager starts as well. What an image brought stays. Fails when nothing is to change.
docker_settings() {
  mkdir -p /etc/docker
  python3 - <<'PYTHON'
import json, os, sys
path = "/etc/docker/daemon.json"
wanted = {
    "live-restore": True,
    "log-driver": "json-file",
    "log-opts": {"max-size": "10m", "max-file": "3"},
    "max-concurrent-downloads": 6,
}
present = {}
if os.path.exists(path):
    with open(path) as file:
        present = json.load(file)
if {**wanted, **present} == present:
    sys.exit(1)
with open(path, "w") as file:
    json.dump({**wanted, **present}, file, indent=2)
PYTHON
}

# Pulls the image of one service, in the background. One that is here already, from a snapshot, will do.
start_pull() {
  (
    trap - ERR
    pull "$1"
    if [ "$1" != proxy ]; then report end "$1-image"; fi
  ) &
  pulls["$1"]=$!
}

pull() {
  local attempt=1 output
  until output="$(docker compose pull --quiet --policy missing "$1" 2>&1)"; do
    if docker image inspect "$(python3 report.py image "$1")" >/dev/null 2>&1; then return; fi
    echo "$output"
    # Asking again does not make an image exist.
    if [ "$attempt" -ge 8 ] || [[ "$output" =~ (manifest unknown|not found|denied|unauthorized) ]]; then return 1; fi
    sleep "$attempt"
    attempt=$((attempt + 1))
  done
}

# Arguments: service, stage.
finish_pull() {
  stage_is "$2" "The image $(python3 report.py image "$1") could not be pulled"
  wait "\${pulls[$1]}"
}

last_lines() {
  echo "== last lines of $1"
  docker compose logs --no-color --no-log-prefix --tail 30 "$1"
}

# Its first answer; until then, whether it or the proxy ends again and again.
wait_for_agent() {
  local service id restarts answer
  while true; do
    answer="$(curl --silent --insecure --output /dev/null --write-out '%{http_code}' --max-time 10 https://127.0.0.1:3000/api/health || true)"
    if [ "$answer" = 200 ] || [ "$answer" = 429 ]; then return; fi
    for service in agent-manager proxy; do
      id="$(docker compose ps --all --quiet "$service")"
      restarts="$(docker inspect --format '{{.RestartCount}}' "$id")"
      if [ "$restarts" -ge 5 ]; then
        cause="The container $service ended $restarts times, last with exit code $(docker inspect --format '{{.State.ExitCode}}' "$id")"
        last_lines "$service"
        return 1
      fi
    done
    if [ "$SECONDS" -gt "$1" ]; then
      cause="The agent-manager runs but is not healthy: /api/health answers $answer"
      last_lines agent-manager
      return 1
    fi
    sleep 1
  done
}

# It waits for cloud-init, which this script is a part of.
systemctl enable agent-manager-user-data
systemctl start --no-block agent-manager-user-data

# Where they are not in the user data.
if [ -e redemption.curlrc ]; then
  stage_is secrets 'The secret files could not be fetched from the controller'
  report begin secrets
  need_curl
  python3 redeem.py
  report end secrets
fi

stage_is docker 'Docker could not be installed'
report begin docker
add_swap || echo 'No swap could be added'
if ! docker compose version >/dev/null 2>&1; then install_docker; fi
stage_is docker 'Containers could not be kept from the metadata address'
systemctl enable agent-manager-metadata
systemctl restart agent-manager-metadata
stage_is docker 'Docker does not start'
if docker_settings && systemctl is-active --quiet docker; then systemctl restart docker; fi
systemctl enable --now docker
printf 'DOCKER_GID=%s\\n' "$(stat -c %g /var/run/docker.sock)" >.env
# The agent-manager runs as this user.
install -d -o 10001 -g 10001 -m 0750 /opt/agents

report end docker begin agent-manager-image begin postgres-image begin proxy
start_pull proxy
start_pull postgres
start_pull agent-manager
finish_pull proxy proxy
stage_is proxy 'The proxy does not start'
docker compose up --detach --no-deps proxy
report end proxy

finish_pull postgres postgres-image
stage_is postgres 'PostgreSQL did not become healthy'
report begin postgres
docker compose up --detach --no-deps --wait --wait-timeout 300 postgres || { last_lines postgres && false; }

report end postgres
finish_pull agent-manager agent-manager-image
stage_is agent-manager 'The agent-manager does not start'
report begin agent-manager
docker compose up --detach --no-deps agent-manager
wait_for_agent "$((SECONDS + 900))"

# The agent-manager works: nothing of the rest may take it back.
trap - ERR
set +e
report end agent-manager begin upkeep
systemctl enable --now agent-manager-certificate.timer
if ! dpkg --status unattended-upgrades >/dev/null 2>&1; then
  retry apt_get update
  apt_get install --yes --no-install-recommends unattended-upgrades
fi
printf 'APT::Periodic::%s "1";\\n' Update-Package-Lists Unattended-Upgrade >/etc/apt/apt.conf.d/52-agent-manager
chmod 0644 /etc/apt/apt.conf.d/52-agent-manager
report end upkeep finish
keep
`;
