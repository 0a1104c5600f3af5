// A client by others: signs in at an authorization server that a registration describes, refreshes
// and revokes. It shows the URL that asks for consent, and reads the callback's URL.
//
// Argument: the server and the client as JSON. Each line of the output is JSON.

import { createInterface } from 'node:readline/promises';

import { AuthorizationCode } from 'simple-oauth2';

const known = JSON.parse(process.argv[2]);
const authorization = new URL(known.authorization_endpoint);
const config = new AuthorizationCode({
  client: { id: known.client_id, secret: known.client_secret },
  auth: {
    tokenHost: new URL(known.token_endpoint).origin,
    tokenPath: new URL(known.token_endpoint).pathname,
    revokePath: new URL(known.revocation_endpoint).pathname,
    authorizeHost: authorization.origin,
    authorizePath: authorization.pathname,
  },
});

function tell(what) {
  console.log(JSON.stringify(what));
}

tell({
  url: config.authorizeURL({
    redirect_uri: known.redirect_uri,
    scope: known.scope.split(' '),
    state: 'simple',
  }),
});

const input = createInterface({ input: process.stdin });
for await (const callbackUrl of input) {
  const code = new URL(callbackUrl).searchParams.get('code');
  const issued = await config.getToken({ code, redirect_uri: known.redirect_uri });
  tell(issued.token);
  const renewed = await issued.refresh();
  tell(renewed.token);
  await renewed.revokeAll();
  tell({ revoked: true });
  try {
    await renewed.refresh();
  } catch (error) {
    tell({ status: error.output?.statusCode ?? String(error) });
  }
  break;
}
process.exit(0);
