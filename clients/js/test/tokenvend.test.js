// Tests of the package, against a server in this process. make test-all runs
// them, and real.test.js against the real tokenvend.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

import { AgentTransport, Client, InvokeTransport, SignedTransport, TokenvendError } from 'tokenvend'

class Fake {
  requests = []
  delay = 0
  error = undefined
  use = undefined
  extra = undefined

  constructor({ life = 3600, early = 600 } = {}) {
    this.life = life
    this.early = early
  }

  async send(credential, parameters) {
    const number = this.requests.push([credential, parameters])
    await sleep(this.delay)
    if (this.error) throw this.error
    const end = Date.now() + 1000 * this.life
    return {
      access_token: `token-${number}`, token_type: 'Bearer', expires_in: this.life,
      expires_at: new Date(end).toISOString(), cache_until: new Date(end - 1000 * this.early).toISOString(),
      fingerprint: String(number).padStart(16, '0'), use: this.use, extra: this.extra,
    }
  }
}

test('a token is kept', async () => {
  const fake = new Fake()
  const source = new Client(fake).source('minut')
  for (let i = 0; i < 3; i++) assert.equal((await source.token()).accessToken, 'token-1')
  assert.equal(await source.authorization(), 'Bearer token-1')
  assert.equal(fake.requests.length, 1)
})

test('the same arguments are one source', () => {
  const client = new Client(new Fake())
  assert.equal(client.source('minut', { scope: 'b a a' }), client.source('minut', { scope: 'a b' }))
  assert.notEqual(client.source('minut'), client.source('minut', { account: 'alice' }))
})

test('many callers are one request', async () => {
  const fake = new Fake()
  fake.delay = 50
  const source = new Client(fake).source('minut')
  const got = await Promise.all(Array.from({ length: 500 }, () => source.token()))
  assert.deepEqual([...new Set(got.map((token) => token.accessToken))], ['token-1'])
  assert.equal(fake.requests.length, 1)
})

test('past cache_until no call waits', async () => {
  const fake = new Fake({ life: 60, early: 59 })
  const source = new Client(fake).source('minut')
  await source.token()
  await sleep(1100)
  fake.delay = 300
  const began = performance.now()
  assert.equal((await source.token()).accessToken, 'token-1')
  assert.ok(performance.now() - began < 200)
  await sleep(500)
  assert.equal((await source.token()).accessToken, 'token-2')
})

test('a living token bridges an outage', async () => {
  const fake = new Fake({ life: 60, early: 59.5 })
  const source = new Client(fake).source('minut')
  await source.token()
  fake.error = new TokenvendError('provider_unavailable', 'later', { status: 503 })
  await sleep(1100)
  for (let i = 0; i < 5; i++) {
    assert.equal((await source.token()).accessToken, 'token-1')
    await sleep(20)
  }
  assert.equal(fake.requests.length, 2)
})

test('a refusal drops the token', async () => {
  const fake = new Fake({ life: 60, early: 59.5 })
  const source = new Client(fake).source('minut')
  await source.token()
  fake.error = new TokenvendError('unknown_credential', 'no', { status: 404 })
  await sleep(1100)
  await source.token()
  await sleep(20)
  await assert.rejects(source.token(), { code: 'unknown_credential', status: 404 })
})

test('a report is sent once, and a refused one is not repeated', async () => {
  const fake = new Fake()
  const source = new Client(fake).source('minut')
  const first = await source.token()
  const got = await Promise.all(Array.from({ length: 10 }, () => source.reject(first.fingerprint)))
  assert.deepEqual([...new Set(got.map((token) => token.accessToken))], ['token-2'])
  fake.error = new TokenvendError('too_many_reports', 'young', { status: 429, retryAfter: 20 })
  for (let i = 0; i < 3; i++) await assert.rejects(source.reject(got[0].fingerprint), { code: 'too_many_reports' })
  assert.deepEqual(fake.requests.map(([, parameters]) => parameters.rejected ?? ''),
    ['', first.fingerprint, got[0].fingerprint])
  assert.equal(await source.token(), got[0])
})

test('a refused report is no error of a call', async () => {
  const fake = new Fake()
  fake.delay = 50
  fake.error = new TokenvendError('too_many_reports', 'young', { status: 429 })
  const source = new Client(fake).source('minut')
  const report = assert.rejects(source.reject('0'.repeat(16)), { code: 'too_many_reports' })
  const token = source.token()
  await report
  fake.error = undefined
  assert.equal((await token).accessToken, 'token-2')
})

test('a token is not printed', async () => {
  const token = await new Client(new Fake()).source('minut').token()
  assert.doesNotMatch(inspect(token) + JSON.stringify(token) + String(token), /token-1/)
})

test('parameters', async () => {
  const fake = new Fake()
  await new Client(fake).source('minut', { scope: 'b a', audience: 'x', account: 'alice', minTTL: 60 }).token()
  assert.deepEqual(fake.requests[0][1], { scope: 'a b', audience: 'x', account: 'alice', min_ttl: '60' })
})

// An API that takes the second token alone, and redirects /away to another host.
async function api(t) {
  const seen = []
  const server = createServer((request, answer) => {
    const token = request.headers.authorization ?? request.headers['x-token']
    seen.push(token ?? (request.url === '/elsewhere' ? undefined : request.url))
    if (request.url.split('?')[0] === '/away') {
      answer.writeHead(302, { Location: `http://localhost:${server.address().port}/elsewhere` })
    } else {
      answer.statusCode = token === 'Bearer token-2' ? 200 : 401
    }
    answer.end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => { server.close(); server.closeAllConnections() })
  return { url: `http://127.0.0.1:${server.address().port}`, seen }
}

test('fetch reports a 401 and sends the request again', async (t) => {
  const { url, seen } = await api(t)
  const fake = new Fake()
  const source = new Client(fake).source('minut')
  assert.equal((await source.fetch(url, { method: 'POST', body: 'x' })).status, 200)
  assert.equal((await source.fetch(url)).status, 200)
  assert.deepEqual(seen, ['Bearer token-1', 'Bearer token-2', 'Bearer token-2'])
  assert.equal(fake.requests.length, 2)
})

test('without another token the 401 is the answer', async (t) => {
  const { url } = await api(t)
  const fake = new Fake()
  const source = new Client(fake).source('minut')
  await source.token()
  fake.error = new TokenvendError('too_many_reports', 'young', { status: 429 })
  assert.equal((await source.fetch(url)).status, 401)
})

test('fetch waits for no token once it is aborted', async () => {
  const fake = new Fake()
  fake.delay = 2000
  const source = new Client(fake).source('minut')
  const began = performance.now()
  await assert.rejects(source.fetch('http://127.0.0.1:9', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
  await assert.rejects(source.fetch('http://127.0.0.1:9', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.ok(performance.now() - began < 1000)
  assert.equal((await source.token()).accessToken, 'token-1')
})

test('a redirect to another host goes without the token', async (t) => {
  const { url, seen } = await api(t)
  await new Client(new Fake()).source('minut').fetch(url + '/away')
  assert.deepEqual(seen, ['Bearer token-1', undefined])
})

test('a 401 of another host is not answered with a token in the URL', async (t) => {
  const { url, seen } = await api(t)
  const fake = new Fake()
  fake.use = { query: 'key' }
  assert.equal((await new Client(fake).source('minut').fetch(url + '/away')).status, 401)
  assert.deepEqual(seen, ['/away?key=token-1', undefined])
  assert.equal(fake.requests.length, 1)
})

test('a request carries the token as its API expects it', async (t) => {
  for (const [use, path, want] of [
    [{ header: 'X-Token', prefix: 'Shop ' }, '/', 'Shop token-1'],
    [{ query: 'key' }, '/?key=old&a=%7E', '/?a=%7E&key=token-1'],
    [{ query: 'key' }, '/', '/?key=token-1'],
  ]) {
    const { url, seen } = await api(t)
    const fake = new Fake()
    fake.use = use
    const source = new Client(fake).source('minut')
    await source.fetch(url + path, { method: 'POST', body: 'x' })
    assert.equal(seen[0], want)
    assert.equal(seen.length, 2) // the 401 was reported, and it was sent again
    if (use.query) await assert.rejects(source.authorization(), { code: 'invalid_request' })
  }
})

test('no redirect takes another header to another host', async (t) => {
  const { url, seen } = await api(t)
  const fake = new Fake()
  fake.use = { header: 'X-Token' }
  assert.equal((await new Client(fake).source('minut').fetch(url + '/away')).status, 302)
  assert.deepEqual(seen, ['token-1'])
})

test('extra values are there and not printed', async () => {
  const fake = new Fake()
  fake.extra = { instance_url: 'https://secret.test' }
  const token = await new Client(fake).source('minut').token()
  assert.equal(token.extra.instance_url, 'https://secret.test')
  assert.doesNotMatch(inspect(token) + JSON.stringify(token), /secret.test/)
})

test('plain http is for loopback', () => {
  new SignedTransport('http://127.0.0.1:3000')
  assert.throws(() => new SignedTransport('http://tokenvend.example'), { code: 'unavailable' })
})

test('the key of an agent stays on this machine', () => {
  new AgentTransport({ url: 'http://[::1]:2774' })
  for (const url of ['http://agent.example:2774', 'https://localhost:2774', 'localhost:2774', 'http://127.0.0.1.example']) {
    assert.throws(() => new AgentTransport({ url }), TokenvendError)
  }
})

test('no answer is unavailable', async () => {
  const transport = new AgentTransport({ url: 'http://127.0.0.1:9', key: 'key' })
  await assert.rejects(new Client(transport).source('minut').token(), { code: 'unavailable', isPassing: true })
})

test('a function is invoked by its alias, and its refusal is the error', async (t) => {
  const seen = []
  const server = createServer(async (request, answer) => {
    const parts = []
    for await (const part of request) parts.push(part)
    seen.push(request.url, JSON.parse(Buffer.concat(parts)))
    answer.setHeader('X-Amz-Function-Error', 'Unhandled')
    answer.end(JSON.stringify({ errorMessage: JSON.stringify({ code: 'access_denied', detail: 'no', status: 403 }) }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => { server.close(); server.closeAllConnections() })
  process.env.AWS_ENDPOINT_URL_LAMBDA = `http://127.0.0.1:${server.address().port}`
  const credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' })
  const transport = new InvokeTransport('arn:aws:lambda:eu-north-1:123456789012:function:vend:c-minut', { credentials })
  await assert.rejects(transport.send('minut', { min_ttl: '60' }), { code: 'access_denied', status: 403 })
  const named = new InvokeTransport('vend:c-minut', { region: 'eu-north-1', credentials })
  await assert.rejects(named.send('minut', {}), { code: 'access_denied' })
  assert.deepEqual(seen, [
    '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-north-1%3A123456789012%3Afunction%3Avend/invocations?Qualifier=c-minut',
    { credential: 'minut', min_ttl: 60 },
    '/2015-03-31/functions/vend/invocations?Qualifier=c-minut', { credential: 'minut' },
  ])
})
