// A client by others without a browser: shows the codes of a device, polls and shows its tokens.
//
// Argument: the server and the client as JSON. Each line of the output is JSON.

import * as client from 'openid-client';

const known = JSON.parse(process.argv[2]);
const server = {
  issuer: known.issuer,
  token_endpoint: known.token_endpoint,
  device_authorization_endpoint: known.device_authorization_endpoint,
};
const config = new client.Configuration(
  server,
  known.client_id,
  known.client_secret,
  client.ClientSecretPost(known.client_secret),
);
client.allowInsecureRequests(config);

const started = await client.initiateDeviceAuthorization(config, { scope: known.scope });
console.log(JSON.stringify(started));
try {
  console.log(JSON.stringify(await client.pollDeviceAuthorizationGrant(config, started)));
} catch (error) {
  console.log(JSON.stringify({ error: error.error ?? error.code }));
}
