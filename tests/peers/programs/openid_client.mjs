// A client by others: signs in at an authorization server that a registration describes, refreshes
// and revokes. It shows the URL that asks for consent, and reads the callback's URL.
//
// Argument: the server and the client as JSON. Each line of the output is JSON.

import { createInterface } from 'node:readline/promises';

import * as client from 'openid-client';

const known = JSON.parse(process.argv[2]);
const server = {
  issuer: known.issuer,
  authorization_endpoint: known.authorization_endpoint,
  token_endpoint: known.token_endpoint,
  revocation_endpoint: known.revocation_endpoint,
};
const config = new client.Configuration(
  server,
  known.client_id,
  known.client_secret,
  client.ClientSecretPost(known.client_secret),
);
client.allowInsecureRequests(config);

function tell(what) {
  console.log(JSON.stringify(what));
}

async function signIn(callbackUrl, checks) {
  const tokens = await client.authorizationCodeGrant(config, new URL(callbackUrl), checks);
  tell(tokens);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  tell(renewed);
  await client.tokenRevocation(config, renewed.refresh_token, { token_type_hint: 'refresh_token' });
  tell({ revoked: true });
  try {
    await client.refreshTokenGrant(config, renewed.refresh_token);
  } catch (error) {
    tell({ status: (error.cause?.status ?? error.status) ?? error.code });
  }
}

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const challenge = await client.calculatePKCECodeChallenge(verifier);
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: known.redirect_uri,
  scope: known.scope,
  code_challenge: challenge,
  code_challenge_method: 'S256',
  state,
});
tell({ url: url.href });

const input = createInterface({ input: process.stdin });
for await (const callbackUrl of input) {
  await signIn(callbackUrl, { pkceCodeVerifier: verifier, expectedState: state });
  break;
}
process.exit(0);
