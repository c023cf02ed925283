import { AGENT_MANAGER_FOLDER } from './agent-manager-folder';
import { CERTIFICATE_DAYS } from './server-tls';

/** Issues the certificate anew from the same key, so that pins stay good, when less than half of its time is left. */
export function renewalScript(serverName: string): string {
  return `#!/usr/bin/env bash
set -Eeuo pipefail
umask 077
cd ${AGENT_MANAGER_FOLDER}
if ! openssl x509 -in tls/cert.pem -noout -checkend ${(CERTIFICATE_DAYS / 2) * 86_400} >/dev/null; then
  openssl req -x509 -new -key tls/key.pem -sha256 -days ${CERTIFICATE_DAYS} \\
    -subj '/CN=${serverName}' -addext 'subjectAltName=DNS:${serverName}' \\
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'keyUsage=critical,digitalSignature' \\
    -addext 'extendedKeyUsage=serverAuth' -out tls/cert.pem.new
  touch tls/restart-due
  mv tls/cert.pem.new tls/cert.pem
fi
# Also when Docker was away the last time.
if [ -e tls/restart-due ]; then
  docker compose restart proxy
  rm tls/restart-due
fi
`;
}

export const RENEWAL_SERVICE = `[Unit]
Description=Issue the certificate of the agent-manager anew
After=docker.service

[Service]
Type=oneshot
ExecStart=${AGENT_MANAGER_FOLDER}/renew-certificate.sh
`;

export const RENEWAL_TIMER = `[Unit]
Description=Look every week whether the certificate of the agent-manager must be issued anew

[Timer]
OnCalendar=weekly
RandomizedDelaySec=1d
Persistent=true

[Install]
WantedBy=timers.target
`;
