const LINE = '='.repeat(100);

/** What a newcomer needs to see and to copy. */
export function banner({ url, emulatorUrl, apiKey }) {
  return `
${LINE}
  EMULATED CLOUD: no provider token is set, so both providers are played by the cloud emulator on this machine.
  Nothing is ordered and nothing is billed. Set HETZNER_API_TOKEN or DIGITALOCEAN_API_TOKEN for the real cloud.

  Controller   ${url}      documentation: ${url}/api/docs (any user name, the key as password)
  Emulator     ${emulatorUrl}      its servers: curl -s ${emulatorUrl}/admin/servers
  API key      ${apiKey}

  Try it:

    export KEY=${apiKey}
    export API=${url}/api
    export EMULATOR=${emulatorUrl}
    curl -s -H "Authorization: Bearer $KEY" $API/clients/provisioning/providers
    curl -s -H "Authorization: Bearer $KEY" $API/clients/provisioning/providers/hetzner/server-types
    curl -s -X POST $API/clients/provisioning/provision \\
      -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -H 'Prefer: wait=60' \\
      -d '{"providerType":"hetzner","serverType":"cx23","name":"first","authenticationType":"api_key"}'
    curl -s -H "Authorization: Bearer $KEY" $API/clients
    curl -s -X DELETE -H "Authorization: Bearer $KEY" -H 'Prefer: wait' $API/clients/ID/provisioning

  The README has the whole tour. Ctrl-C stops everything.
${LINE}
`;
}

export function realCloudBanner({ url }) {
  return `
${LINE}
  REAL CLOUD: a provider token is set. Every server that is ordered here is billed.

  Controller   ${url}      documentation: ${url}/api/docs
${LINE}
`;
}
