// An OpenID provider by others, as strict as it can be: PKCE required, refresh tokens that rotate,
// a grant that ends when one of them comes twice. It tells at /told what it granted and refused.
//
// Arguments: the address to listen on, the client's redirect URI, the seconds that the first access
// token lives. The first line of its output says where it is; it ends with its standard input.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const LATER_TOKENS_LIVE_SECONDS = 14 * 86_400;

const [host, redirectUri, firstTokenLives] = process.argv.slice(2);
const told = [];
let issued = 0;

const client = {
  client_id: 'a client',
  client_secret: `${randomBytes(24).toString('base64url')} :%+/`,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'client_secret_basic',
};

function accessTokenLives() {
  issued += 1;
  return issued === 1 ? Number(firstTokenLives) : LATER_TOKENS_LIVE_SECONDS;
}

const configuration = {
  clients: [client],
  cookies: { keys: [randomBytes(24).toString('base64url')] },
  features: { revocation: { enabled: true }, introspection: { enabled: true } },
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: accessTokenLives,
    Grant: 30 * 86_400,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 30 * 86_400,
    Session: 3600,
  },
};

function listen(provider) {
  provider.on('grant.success', (ctx) => told.push(['granted', ctx.oidc.params.grant_type]));
  provider.on('grant.error', (ctx, error) => told.push(['refused', error.error]));
  provider.on('grant.revoked', () => told.push(['revoked', '']));
}

const server = createServer();
server.listen(0, host, () => {
  const origin = `http://${host}:${server.address().port}`;
  const provider = new Provider(origin, configuration);
  const answer = provider.callback();
  listen(provider);
  server.on('request', (request, response) => {
    if (request.url === '/told') {
      response.end(JSON.stringify(told));
    } else {
      answer(request, response);
    }
  });
  console.log(JSON.stringify({ origin, client_secret: client.client_secret }));
});
process.stdin.on('end', () => process.exit(0)).resume();
