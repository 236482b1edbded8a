// npm's oidc-provider as tests ask for it, under TLS on the port of 127.0.0.1 that is the one argument. What it is to be made of is JSON in the environment.
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import { Provider } from 'oidc-provider'

const port = process.argv[1]
const { key, certificate, authority, clients } = JSON.parse(process.env.TOKENVEND_TESTBED_OAUTH)

const certificateOf = ctx => {
  const der = ctx.socket.getPeerCertificate().raw
  return der && new X509Certificate(der)
}

const provider = new Provider(`https://127.0.0.1:${port}`, {
  clients,
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  cookies: { keys: ['of tests'] },
  clockTolerance: 0,
  // A client says in seconds how long its codes, tokens and grants live.
  extraClientMetadata: { properties: ['code_seconds', 'token_seconds'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true }, // takes any login with any password
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      getCertificate: certificateOf,
      certificateAuthorized: ctx => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn' && certificateOf(ctx).subject === expected,
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({ scope: 'read write', audience: resource, accessTokenTTL: 300, accessTokenFormat: 'jwt' }),
    },
    revocation: { enabled: true },
  },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  rotateRefreshToken: true, // and one that comes a second time ends its grant: nothing turns that off
  scopes: ['openid', 'offline_access', 'read', 'write'],
  ttl: {
    AccessToken: (ctx, token, client) => client.token_seconds ?? 600,
    AuthorizationCode: (ctx, token, client) => client.code_seconds ?? 60,
    ClientCredentials: (ctx, token, client) => client.token_seconds ?? 600,
    Grant: 3600,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 600,
  },
})
provider.on('server_error', (ctx, err) => console.error(err))

// How many token requests each client has made, whatever came of them.
const asked = {}
provider.use(async (ctx, next) => {
  if (ctx.path === '/asked') {
    ctx.body = asked
    return
  }
  await next()
  const { clientId } = ctx.oidc?.client ?? {}
  if (ctx.path === '/token' && clientId) {
    asked[clientId] = (asked[clientId] ?? 0) + 1
  }
})

createServer({ key, cert: certificate, ca: authority, requestCert: true, rejectUnauthorized: false }, provider.callback()).listen(port, '127.0.0.1')
