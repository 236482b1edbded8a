// Tokens from tokenvend, kept until their cache_until. See index.d.ts.

import { Source } from './source.js'
import { defaultTransport } from './transport.js'

export { TokenvendError } from './error.js'
export { Source } from './source.js'
export { AgentTransport, InvokeTransport, SignedTransport } from './transport.js'

// A client keeps at most so many sources.
const maxSources = 10_000

export class Client {
  #transport
  #sources = new Map()

  constructor(transport = defaultTransport(process.env)) {
    this.#transport = transport
  }

  source(credential, { scope = '', audience = '', account = '', minTTL = 0 } = {}) {
    const given = {
      scope: [...new Set(scope.split(/\s+/).filter(Boolean))].sort().join(' '),
      audience: audience.trim(),
      account: account.trim(),
      min_ttl: minTTL > 0 ? String(Math.ceil(minTTL)) : '',
    }
    const parameters = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
    const key = JSON.stringify([credential, parameters])
    let source = this.#sources.get(key)
    if (!source) {
      if (this.#sources.size >= maxSources) this.#sources.delete(this.#sources.keys().next().value)
      source = new Source(this.#transport, credential, parameters)
      this.#sources.set(key, source)
    }
    return source
  }
}
