// A server of the npm package @node-oauth/oauth2-server, on the port of
// 127.0.0.1 that is the one argument. Its clients and the file that keeps its
// tokens are JSON in the environment.
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import OAuth2Server from '@node-oauth/oauth2-server'

const port = Number(process.argv[1])
const { clients, state } = JSON.parse(process.env.TOKENVEND_TESTBED_PEER)
const known = new Map(clients.map(c => [c.id, {
  id: c.id,
  secret: c.secret,
  grants: c.redirect ? ['client_credentials', 'authorization_code', 'refresh_token'] : ['client_credentials'],
  redirectUris: [c.redirect],
  accessTokenLifetime: c.seconds
}]))

// What the server remembers, by the value of the code or token.
let kept = { codes: {}, access: {}, refresh: {} }
try {
  kept = JSON.parse(readFileSync(state))
} catch (err) {
  if (err.code !== 'ENOENT') throw err
}
const keep = () => writeFileSync(state, JSON.stringify(kept))
const find = (kind, value) => {
  const found = kept[kind][value]
  if (!found) return undefined
  const dates = Object.entries(found).filter(([name]) => name.toLowerCase().endsWith('expiresat'))
  return {
    ...found,
    ...Object.fromEntries(dates.map(([name, at]) => [name, new Date(at)])),
    client: known.get(found.client)
  }
}

const server = new OAuth2Server({
  accessTokenLifetime: 600,
  model: {
    getClient: async (id, secret) => {
      const client = known.get(id)
      return client && (secret === null || client.secret === secret) ? client : null
    },
    getUserFromClient: async client => ({ id: client.id }),
    validateScope: async (user, client, scope) => scope ?? ['read'],
    saveAuthorizationCode: async (code, client, user) => {
      kept.codes[code.authorizationCode] = { ...code, client: client.id, user }
      keep()
      return { ...code, client, user }
    },
    getAuthorizationCode: async value => find('codes', value),
    revokeAuthorizationCode: async code => {
      const known = delete kept.codes[code.authorizationCode]
      keep()
      return known
    },
    saveToken: async (token, client, user) => {
      const expires = new Date(Date.now() + client.accessTokenLifetime * 1000)
      const saved = { ...token, accessTokenExpiresAt: expires, client: client.id, user }
      kept.access[token.accessToken] = saved
      if (token.refreshToken) kept.refresh[token.refreshToken] = saved
      keep()
      return { ...saved, client }
    },
    getAccessToken: async value => find('access', value),
    getRefreshToken: async value => find('refresh', value),
    revokeToken: async token => {
      const known = token.refreshToken in kept.refresh
      delete kept.refresh[token.refreshToken]
      keep()
      return known
    }
  }
})

// Each path calls one function of the library.
const paths = {
  '/token': (request, response) => server.token(request, response),
  '/authorize': (request, response) => server.authorize(request, response, {
    authenticateHandler: { handle: () => ({ id: 'alice' }) }
  }),
  '/me': async (request, response) => {
    const token = await server.authenticate(request, response)
    response.body = { sub: token.user.id }
  }
}

createServer(async (req, res) => {
  const url = new URL(req.url, 'http://127.0.0.1')
  let text = ''
  for await (const part of req) text += part
  const request = new OAuth2Server.Request({
    method: req.method,
    headers: req.headers,
    query: Object.fromEntries(url.searchParams),
    body: Object.fromEntries(new URLSearchParams(text))
  })
  const response = new OAuth2Server.Response()
  try {
    const call = paths[url.pathname]
    if (call) await call(request, response)
    else response.status = 404
  } catch (err) {
    response.status = err.code ?? 500
    response.body = { error: err.name, error_description: err.message }
  }
  res.writeHead(response.status, { 'content-type': 'application/json', ...response.headers })
  res.end(JSON.stringify(response.body))
}).listen(port, '127.0.0.1')
