// An OIDC provider nobody here wrote: oidc-provider from npm, set up as a company might set it up.
// node real_provider.mjs FOLDER-OF-THE-PACKAGE, the keys as JSON on stdin; prints its issuer.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { Provider, default: Old } = await import(pathToFileURL(join(process.argv[2], 'lib/index.js')));
const jwks = JSON.parse(readFileSync(0, 'utf8'));

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new (Provider ?? Old)(issuer, {
  clients: [{
    client_id: 'helpdesk-console',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    response_types: ['code'],
    grant_types: [
      'authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code',
    ],
    id_token_signed_response_alg: 'ES256',
  }],
  jwks,
  cookies: { keys: ['of-this-run-alone'] },
  claims: { openid: ['sub'], profile: ['name'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Dana Whitfield' }) }),
  extraTokenClaims(ctx, token) {
    const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities;
    return {
      auth_time: (AuthorizationCode ?? DeviceCode ?? RefreshToken).authTime,
      preferred_username: `${token.accountId}@desk.example`,
      groups: ['everybody', 'hd-agents'],
    };
  },
  features: {
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: '', audience: 'https://desk.example', accessTokenFormat: 'jwt',
        accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
server.on('request', provider.callback());
console.log(issuer);
