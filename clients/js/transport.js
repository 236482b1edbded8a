// How requests reach tokenvend: by the agent, by its API, or by its function.

import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { ofProblem, TokenvendError, unavailable } from './error.js'

const keyHeader = 'Tokenvend-Agent-Key'
const defaultPort = 2774
const extension = '/opt/extensions/tokenvend-extension'
export const timeout = 30_000 // milliseconds

// Returns the transport that the environment names; see Client in index.d.ts.
export function defaultTransport(env) {
  if (env.TOKENVEND_AGENT_SOCKET) return new AgentTransport({ socketPath: env.TOKENVEND_AGENT_SOCKET })
  const inLambda = env.AWS_LAMBDA_FUNCTION_NAME !== undefined && existsSync(extension)
  const keyFile = env.TOKENVEND_AGENT_KEY_FILE ?? join(homedir(), '.tokenvend-agent-key')
  if (env.TOKENVEND_AGENT_URL || inLambda) {
    const url = env.TOKENVEND_AGENT_URL || `http://localhost:${env.TOKENVEND_AGENT_PORT || defaultPort}`
    const key = inLambda ? env.AWS_SESSION_TOKEN || env.AWS_CONTAINER_AUTHORIZATION_TOKEN : undefined
    return new AgentTransport({ url, key, keyFile })
  }
  if (env.TOKENVEND_URL) return new SignedTransport(env.TOKENVEND_URL)
  if (env.TOKENVEND_FUNCTION) return new InvokeTransport(env.TOKENVEND_FUNCTION)
  if (existsSync(keyFile)) return new AgentTransport({ keyFile })
  throw unavailable('no agent is here, and neither TOKENVEND_URL nor TOKENVEND_FUNCTION is set')
}

// Asks the agent on this machine. Its key is read from its file for each
// request: it changes when the agent is started again.
export class AgentTransport {
  #options

  constructor({ url = `http://localhost:${defaultPort}`, key, keyFile, socketPath } = {}) {
    const { protocol, hostname } = new URL(url)
    if (!socketPath && (protocol !== 'http:' || !isLoopback(hostname))) {
      throw unavailable("the agent's URL: expected http:// and a loopback host, as the key is sent there")
    }
    this.#options = { url: new URL(url), key, keyFile: keyFile ?? join(homedir(), '.tokenvend-agent-key'), socketPath }
  }

  async send(credential, parameters) {
    const { url, socketPath } = this.#options
    const { method, path, body } = message(credential, parameters)
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
    if (!socketPath) headers[keyHeader] = this.#key()
    const where = socketPath ? { socketPath, headers: { ...headers, Host: 'localhost' } } : {
      hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || 80, headers,
    }
    // A connection of its own: one that was kept may have ended while the
    // process was frozen.
    const { status, text } = await exchange({ ...where, method, path, agent: false }, body)
    return read(status, text)
  }

  #key() {
    const { key, keyFile } = this.#options
    if (key) return key
    try {
      return readFileSync(keyFile, 'utf8').trim()
    } catch (cause) {
      throw unavailable(`the agent's key cannot be read: ${keyFile}`, cause)
    }
  }
}

function exchange(options, body) {
  return new Promise((resolve, reject) => {
    const fail = (cause) => reject(unavailable(`no answer from the agent: ${cause.code ?? cause.name}`, cause))
    const sent = request({ ...options, signal: AbortSignal.timeout(timeout + 5000) }, (answer) => {
      const parts = []
      answer.on('data', (part) => parts.push(part))
      answer.on('error', fail)
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString() }))
    })
    sent.on('error', fail)
    sent.end(body)
  })
}

// Asks tokenvend's API, with AWS Signature V4.
export class SignedTransport {
  #url
  #options

  constructor(url, { region, credentials } = {}) {
    const { protocol, hostname, host } = new URL(url)
    if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
      throw unavailable("the API's URL: expected https (http for a loopback host only)")
    }
    this.#url = url.replace(/\/+$/, '')
    region ??= /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/.exec(hostname)?.[1]
    this.#options = { host, region, credentials }
  }

  async send(credential, parameters) {
    const { method, path, body } = message(credential, parameters)
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const answer = await signed({ url: this.#url + path, method, headers, body, service: 'execute-api' }, this.#options)
    return read(answer.status, await answer.text())
  }
}

// Invokes tokenvend's vend function, by its name or ARN and, after a colon, an
// alias.
export class InvokeTransport {
  #url
  #options

  constructor(fn, { region, credentials } = {}) {
    const arn = /^arn:[a-z-]+:lambda:([a-z0-9-]+):/.exec(fn)
    // An ARN stays whole: the function may be one of another account.
    const [, name, alias] = /^(.*:function:[^:]*|[^:]*):?(.*)$/.exec(fn)
    this.#options = { region: arn?.[1] ?? region, credentials }
    this.#url = (region) => `https://lambda.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}` +
      `/2015-03-31/functions/${encodeURIComponent(name)}` +
      `/invocations${alias ? `?Qualifier=${encodeURIComponent(alias)}` : ''}`
  }

  async send(credential, parameters) {
    const region = regionOf(this.#options.region)
    const url = process.env.AWS_ENDPOINT_URL_LAMBDA
      ? process.env.AWS_ENDPOINT_URL_LAMBDA + new URL(this.#url(region)).pathname + new URL(this.#url(region)).search
      : this.#url(region)
    const body = JSON.stringify({ credential, ...typed(parameters) })
    const answer = await signed({ url, method: 'POST', headers: {}, body, service: 'lambda' }, this.#options)
    const result = parsed(await answer.text())
    if (answer.status !== 200) {
      throw new TokenvendError('unavailable', 'Lambda refused the invocation', { status: answer.status })
    }
    if (!answer.headers.has('x-amz-function-error')) return object(result)
    const problem = parsed(result?.errorMessage)
    if (typeof problem?.code !== 'string') throw unavailable('the function ended without an answer; its log tells why')
    throw ofProblem(problem.status ?? 500, problem)
  }
}

const isLoopback = (hostname) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

async function signed({ url, method, headers, body, service }, { region, credentials }) {
  const { AwsV4Signer } = await import('aws4fetch') // the agent needs no signature
  const keys = await keysOf(credentials)
  const signer = new AwsV4Signer({ ...keys, url, method, headers, body, service, region: regionOf(region) })
  const request = await signer.sign()
  try {
    return await fetch(request.url, {
      method, headers: request.headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeout),
    })
  } catch (cause) {
    throw unavailable(`no answer from ${new URL(url).host}`, cause)
  }
}

function regionOf(region) {
  const found = region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION
  if (!found) throw unavailable('the region is not set: name it in AWS_REGION')
  return found
}

// Returns credentials of the AWS SDK's form: those that are given, or what a
// function gives, or those of the environment.
async function keysOf(credentials) {
  const keys = typeof credentials === 'function' ? await credentials() : credentials ?? {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  }
  if (!keys?.accessKeyId || !keys.secretAccessKey) {
    throw unavailable('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and no credentials are given')
  }
  const { accessKeyId, secretAccessKey, sessionToken } = keys
  return { accessKeyId, secretAccessKey, sessionToken }
}

function message(credential, parameters) {
  const path = `/tokens/${encodeURIComponent(credential)}`
  if (parameters.rejected) return { method: 'POST', path, body: JSON.stringify(typed(parameters)) }
  const query = Object.keys(parameters).sort()
    .map((name) => `${name}=${encodeURIComponent(parameters[name])}`).join('&')
  return { method: 'GET', path: query ? `${path}?${query}` : path }
}

const typed = (parameters) => Object.fromEntries(
  Object.entries(parameters).map(([name, value]) => [name, name === 'min_ttl' ? Number(value) : value]),
)

function read(status, text) {
  const body = parsed(text)
  if (status !== 200) throw ofProblem(status, body)
  return object(body)
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function object(body) {
  if (typeof body?.access_token !== 'string') {
    throw unavailable("an answer that is not tokenvend's: is the URL right?")
  }
  return body
}
