/** Where both providers give out a server's user data, with everything secret in it, to whoever on the server asks. */
const METADATA_ADDRESS = '169.254.169.254';

/**
 * Containers cannot reach the metadata address; the server itself still can, since cloud-init asks there at each boot.
 * The rule stands before Docker starts any container. Not in Docker's own chains, which do not exist by then.
 */
export const METADATA_SERVICE = `[Unit]
Description=Keep containers from the provider's metadata
Before=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'iptables -w -t raw -C PREROUTING -d ${METADATA_ADDRESS} -j DROP 2>/dev/null || iptables -w -t raw -I PREROUTING -d ${METADATA_ADDRESS} -j DROP'

[Install]
WantedBy=multi-user.target
RequiredBy=docker.service
`;

/**
 * cloud-init keeps copies of the user data, and makes some of them again at each boot. Its marks of what ran once
 * (`sem`) stay. Wanted by cloud-init's own target: in others it would wait for itself.
 */
export const USER_DATA_SERVICE = `[Unit]
Description=Remove cloud-init's copies of the user data
After=cloud-final.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'rm -rf /var/lib/cloud/instances/*/user-data.txt* /var/lib/cloud/instances/*/cloud-config.txt /var/lib/cloud/instances/*/combined-cloud-config.json /var/lib/cloud/instances/*/obj.pkl /var/lib/cloud/instances/*/scripts/runcmd /run/cloud-init/combined-cloud-config.json /run/cloud-init/instance-data-sensitive.json'

[Install]
WantedBy=cloud-init.target
`;
