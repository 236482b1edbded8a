// Obtains tokens with OAuth libraries of npm, as standard input says.
//
// Each line is a command in JSON. {"start": 1, "library": NAME, ...} makes
// client 1 as the documentation of that library does. {"call": 7, "client": 1}
// has it obtain a token, and prints {"call": 7, ...} in a line.

import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import * as oauth from 'openid-client'
import { ClientCredentials } from 'simple-oauth2'

// openid-client keeps no token: its user does, and asks expiresIn().
function openidClient(c) {
  const server = { issuer: c.issuer, token_endpoint: c.token_url }
  const auth = c.basic ? oauth.ClientSecretBasic(c.secret) : oauth.ClientSecretPost(c.secret)
  const config = new oauth.Configuration(server, c.id, undefined, auth)
  config.timeout = c.timeout
  let kept
  return async () => {
    if (kept === undefined || kept.expiresIn() === 0) kept = await oauth.clientCredentialsGrant(config)
    return { access: kept.access_token, kind: kept.token_type, expires: end(kept.expiresIn(), Date.now() / 1000) }
  }
}

// simple-oauth2 keeps no token: its user does, and asks expired().
function simpleOAuth2(c) {
  const { origin, pathname } = new URL(c.token_url)
  const client = new ClientCredentials({
    client: { id: c.id, secret: c.secret },
    auth: { tokenHost: origin, tokenPath: pathname },
    options: { authorizationMethod: c.basic ? 'header' : 'body' },
    http: { timeout: 1000 * c.timeout },
  })
  let kept
  return async () => {
    if (kept === undefined || kept.expired()) kept = await client.getToken({})
    const { access_token: access, token_type: kind, expires_at: expires } = kept.token
    return { access, kind, expires: end(expires?.getTime() / 1000, 0) }
  }
}

// The time so many seconds after another, where there is an end. A number above the last is as good as for ever.
function end(seconds, after) {
  return Number.isFinite(seconds) ? Math.min(after + seconds, 1e15) : undefined
}

// What a program learns of an error: as it is logged, and its parts.
function failure(e) {
  const name = `${e.name} ${e.code} ${e.cause?.name} ${e.message}`
  return {
    error: inspect(e),
    code: e.error ?? e.data?.payload?.error,
    status: e.status ?? e.cause?.status ?? e.data?.res?.statusCode,
    timeout: /time-?out/i.test(name),
  }
}

const libraries = { 'openid-client': openidClient, 'simple-oauth2': simpleOAuth2 }
const clients = {}
for await (const line of createInterface({ input: process.stdin })) {
  const c = JSON.parse(line)
  if (c.start) {
    clients[c.start] = libraries[c.library](c)
    continue
  }
  clients[c.client]().catch(failure).then((result) => console.log(JSON.stringify({ call: c.call, ...result })))
}
process.exit(0)
