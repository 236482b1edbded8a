// Tests against the real one-machine server and the real agent, which the
// environment names; see test_real.py of the Python package.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AgentTransport, Client, SignedTransport } from 'tokenvend'

const { TOKENVEND_TEST_URL: url, TOKENVEND_TEST_AGENT: agent, TOKENVEND_TEST_SOCKET: socketPath } = process.env
const signed = () => new SignedTransport(url)
const beside = () => new AgentTransport({ url: agent })

test('every way gives the same token', async () => {
  const transports = [signed(), beside(), new AgentTransport({ socketPath })]
  const tokens = await Promise.all(transports.map((transport) => new Client(transport).source('minut').token()))
  assert.equal(new Set(tokens.map((token) => token.accessToken)).size, 1)
  for (const token of tokens) {
    assert.ok(token.cacheUntil < token.expiresAt && token.expiresAt > Date.now())
    assert.match(token.authorization, /^Bearer /)
  }
})

test('parameters are signed and sent', async () => {
  const client = new Client(signed())
  await client.source('minut', { minTTL: 60 }).token()
  await assert.rejects(client.source('minut', { scope: 'not allowed' }).token(), { code: 'access_denied' })
})

test('a report of a young token is refused', async () => {
  for (const transport of [signed(), beside()]) {
    const source = new Client(transport).source('monta')
    const { fingerprint } = await source.token()
    try {
      assert.notEqual((await source.reject(fingerprint)).fingerprint, fingerprint)
    } catch (error) {
      assert.deepEqual([error.code, error.status], ['too_many_reports', 429])
    }
  }
})

test('refusals have their codes', async () => {
  for (const transport of [signed(), beside()]) {
    await assert.rejects(new Client(transport).source('nosuch').token(), { code: 'unknown_credential' })
  }
})
