// The cache of one credential's tokens.

import { inspect } from 'node:util'

import { TokenvendError, unavailable } from './error.js'
import { timeout } from './transport.js'

// A token is not returned in the last tenth of its life, or the last 10 seconds
// where that is shorter. All times are in milliseconds.
const maxMargin = 10_000
// tokenvend is asked in the background at most this often.
const minPause = 1_000
const maxPause = 30_000

export class Source {
  #transport
  #credential
  #parameters
  #held // { token, askAt, end }
  #call // { rejected, began, result }
  #failures = 0
  #refused // { fingerprint, error, until }

  constructor(transport, credential, parameters = {}) {
    this.#transport = transport
    this.#credential = credential
    this.#parameters = parameters
  }

  token() {
    return this.#token('')
  }

  reject(fingerprint) {
    return this.#token(fingerprint)
  }

  async authorization() {
    return (await this.token()).authorization
  }

  // fetch, with the token, and once more with another where a 401 comes back.
  fetch = async (input, init = {}) => {
    const original = new Request(input, init)
    const again = original.body === null || isRepeatable(init.body) ? original.clone() : undefined
    const token = await unlessAborted(original.signal, this.token())
    const answer = await fetch(authorized(original, token))
    if (answer.status !== 401 || again === undefined || answer.redirected) return answer
    let next
    try {
      next = await unlessAborted(original.signal, this.reject(token.fingerprint))
    } catch {
      return answer
    }
    if (next.fingerprint === token.fingerprint) return answer
    await answer.body?.cancel()
    return fetch(authorized(again, next))
  }

  async #token(rejected) {
    for (;;) {
      const token = this.#usable(rejected)
      if (token) return token
      const refused = this.#refused
      if (rejected && refused?.fingerprint === rejected && Date.now() < refused.until) throw refused.error
      const call = this.#begin(rejected)
      let got
      try {
        got = await call.result
      } catch (error) {
        if (call.rejected === rejected) throw error
        continue // it is the error of another question
      }
      if (call.rejected === rejected || got.fingerprint !== rejected) return got
    }
  }

  // Returns the token at hand if it will do, and has it replaced when it is
  // time.
  #usable(rejected) {
    const held = this.#held
    const now = Date.now()
    if (!held || now >= held.end || held.token.fingerprint === rejected) return undefined
    if (now >= held.askAt) {
      held.askAt = Math.min(now + timeout, held.end)
      this.#begin('').result.catch(() => {}) // what it means is decided in #finish
    }
    return held.token
  }

  // Returns the request that is under way, or starts one. One that was frozen
  // with the process is given up.
  #begin(rejected) {
    const now = Date.now()
    if (!this.#call || now > this.#call.began + timeout + 10_000) {
      const call = { rejected, began: now }
      this.#call = call
      call.result = this.#perform(call)
    }
    return this.#call
  }

  async #perform(call) {
    const parameters = call.rejected ? { ...this.#parameters, rejected: call.rejected } : this.#parameters
    try {
      const token = tokenOf(await this.#transport.send(this.#credential, parameters), call.began)
      this.#finish(call, token)
      return token
    } catch (error) {
      this.#finish(call, undefined, error)
      throw error
    }
  }

  #finish(call, token, error) {
    if (this.#call !== call) return
    this.#call = undefined
    if (token) {
      this.#failures = 0
      this.#held = hold(token, 1000 * Number(this.#parameters.min_ttl ?? 0))
    } else if (call.rejected) {
      const wait = Math.min(Math.max(1000 * (error.retryAfter ?? 0), minPause), maxPause)
      this.#refused = { fingerprint: call.rejected, error, until: Date.now() + wait }
    } else if (this.#held) {
      this.#fail(error)
    }
  }

  // Decides what a failure means for the token at hand.
  #fail(error) {
    if (error instanceof TokenvendError && !error.isPassing) {
      this.#held = undefined
      return
    }
    const pause = Math.max(1000 * (error.retryAfter ?? 0), minPause * 2 ** Math.min(this.#failures, 5))
    this.#failures++
    this.#held.askAt = Math.min(Date.now() + Math.min(pause, maxPause), this.#held.end)
  }
}

function hold(token, minTTL) {
  const now = Date.now()
  const margin = Math.max(Math.min(maxMargin, (token.expiresAt - now) / 10), minTTL)
  const end = token.expiresAt - margin
  return { token, end, askAt: Math.min(Math.max(token.cacheUntil, now + minPause), end) }
}

// Returns the token of an answer to a request that was sent at began. Its times
// count from what is left of it, so that a wrong clock here does no harm. The
// token itself is not shown where it is printed or put into JSON.
function tokenOf(answer, began) {
  const expiresAt = began + 1000 * answer.expires_in
  const early = Math.max(Date.parse(answer.expires_at) - Date.parse(answer.cache_until), 0)
  if (Number.isNaN(expiresAt + early)) throw unavailable("an answer that is not tokenvend's: is the URL right?")
  const type = answer.token_type || 'Bearer'
  const shown = {
    tokenType: type, expiresAt, cacheUntil: expiresAt - early, fingerprint: answer.fingerprint, scope: answer.scope ?? '',
  }
  const { header = '', prefix = '', query = '' } = answer.use ?? {}
  shown.use = Object.freeze({ header, prefix, query })
  shown.header = query ? '' : header || 'Authorization'
  const token = { ...shown }
  const hidden = (value) => ({ value, enumerable: false })
  Object.defineProperties(token, {
    accessToken: hidden(answer.access_token),
    authorization: { enumerable: false, get: () => authorization(type, shown.use, answer.access_token) },
    extra: hidden(Object.freeze({ ...answer.extra })),
    [inspect.custom]: hidden(() => shown),
  })
  return Object.freeze(token)
}

// Returns what a promise brings, or throws once the signal is aborted: the
// request for a token goes on, for others who wait for it.
async function unlessAborted(signal, promise) {
  let stop
  const aborted = new Promise((_, reject) => {
    stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const isRepeatable = (body) => typeof body === 'string' || body instanceof URLSearchParams ||
  body instanceof ArrayBuffer || ArrayBuffer.isView(body)

// Returns the value of the header field that carries a token.
function authorization(type, use, accessToken) {
  if (use.query) {
    throw new TokenvendError('invalid_request', `the API expects the token in the parameter ${use.query} of the URL`)
  }
  return use.header ? use.prefix + accessToken : `${type} ${accessToken}`
}

// Returns a request with the token as its API expects it. fetch takes no other
// header than Authorization away for another host, so a redirect is not
// followed then.
function authorized(request, token) {
  const { query } = token.use
  if (query) return new Request(withParameter(request.url, query, token.accessToken), request)
  const headers = new Headers(request.headers)
  headers.set(token.header, token.authorization)
  const redirect = token.header.toLowerCase() !== 'authorization' && request.redirect === 'follow'
    ? 'manual'
    : request.redirect
  return new Request(request, { headers, redirect })
}

function withParameter(text, name, value) {
  const url = new URL(text)
  if (url.searchParams.has(name)) url.searchParams.delete(name)
  url.search += (url.search ? '&' : '?') + new URLSearchParams({ [name]: value })
  return url
}
