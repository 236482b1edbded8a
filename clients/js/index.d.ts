/** Carries a request to tokenvend. */
export interface Transport {
  /** Returns the JSON of a token, or throws a TokenvendError. */
  send(credential: string, parameters: Readonly<Record<string, string>>): Promise<TokenResponse>
}

/** A token as tokenvend answers it. */
export interface TokenResponse {
  access_token: string
  token_type?: string
  expires_in: number
  expires_at: string
  cache_until: string
  fingerprint: string
  scope?: string
  use?: Partial<Use>
  extra?: Readonly<Record<string, string>>
}

/**
 * How the provider's API expects a token: in the header field `header` with
 * `prefix` before it, or in the parameter `query` of the URL. All are empty
 * where it is the usual Authorization header.
 */
export interface Use {
  readonly header: string
  readonly prefix: string
  readonly query: string
}

/**
 * A token. Its times are milliseconds since 1970, by this machine's clock. The
 * token itself and its extra values are left out where it is printed, or put
 * into JSON.
 */
export interface Token {
  readonly accessToken: string
  /** The name of the header field that carries the token; "" where the URL does. */
  readonly header: string
  /** The value of that header field. Throws where the URL carries the token. */
  readonly authorization: string
  readonly use: Use
  /** Further values that the provider gave with the token, such as instance_url. */
  readonly extra: Readonly<Record<string, string>>
  readonly tokenType: string
  readonly expiresAt: number
  readonly cacheUntil: number
  readonly fingerprint: string
  readonly scope: string
}

export interface SourceOptions {
  /** Scopes, separated by spaces, instead of the credential's own. */
  scope?: string
  audience?: string
  /** By the grant of this account instead of the client's own. */
  account?: string
  /** How many seconds the token must live at least. */
  minTTL?: number
}

/**
 * Obtains and keeps tokens. It is made once and shared.
 *
 * Without a transport it takes the one that the environment names: the agent at
 * TOKENVEND_AGENT_SOCKET or TOKENVEND_AGENT_URL, the extension of this Lambda
 * function, the API at TOKENVEND_URL, the function TOKENVEND_FUNCTION, or the
 * agent of this user on this machine.
 */
export class Client {
  constructor(transport?: Transport)
  /** Returns the source of a credential's tokens: the same one for the same arguments. */
  source(credential: string, options?: SourceOptions): Source
}

/** Where one credential's tokens come from. */
export class Source {
  constructor(transport: Transport, credential: string, parameters?: Readonly<Record<string, string>>)
  /**
   * Returns a token that is good now. It does not wait while one is at hand:
   * past its cacheUntil, another is obtained in the background.
   */
  token(): Promise<Token>
  /** Reports that an API answered 401 to a token, and returns another one. Many reports of one token are sent once. */
  reject(fingerprint: string): Promise<Token>
  /** Returns the value of an Authorization header. */
  authorization(): Promise<string>
  /**
   * fetch with the token on the request, as its API expects it. A 401 is
   * reported, and the request is sent once more with another token, if its body
   * can be sent again. With a token in a header other than Authorization a
   * redirect is not followed: fetch would take that header to another host.
   */
  readonly fetch: typeof globalThis.fetch
}

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

export interface AWSOptions {
  /** Of the API or the function; else the one in its URL or ARN, else AWS_REGION. */
  region?: string
  /** Credentials or a function that returns them, such as one of @aws-sdk/credential-providers; else the environment's. */
  credentials?: Credentials | (() => Promise<Credentials>)
}

/** Asks the agent on this machine, on loopback or on a unix socket. */
export class AgentTransport implements Transport {
  constructor(options?: { url?: string; key?: string; keyFile?: string; socketPath?: string })
  send(credential: string, parameters: Readonly<Record<string, string>>): Promise<TokenResponse>
}

/** Asks tokenvend's API, with AWS Signature V4. */
export class SignedTransport implements Transport {
  constructor(url: string, options?: AWSOptions)
  send(credential: string, parameters: Readonly<Record<string, string>>): Promise<TokenResponse>
}

/** Invokes tokenvend's vend function, by its name or ARN and an alias after a colon. */
export class InvokeTransport implements Transport {
  constructor(fn: string, options?: AWSOptions)
  send(credential: string, parameters: Readonly<Record<string, string>>): Promise<TokenResponse>
}

/**
 * No token was obtained. The code is that of tokenvend's problem document, or
 * "unavailable" where no answer came from it.
 */
export class TokenvendError extends Error {
  constructor(code: string, detail: string, options?: { status?: number; retryAfter?: number; cause?: unknown })
  readonly code: string
  readonly detail: string
  readonly status?: number
  /** Seconds until another try is worth it; 0 where that is not known. */
  readonly retryAfter: number
  /** Whether the error says nothing against a token at hand. */
  readonly isPassing: boolean
}
