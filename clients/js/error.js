// An error of a call: no token was obtained. No message quotes an answer, which
// may hold a token.
export class TokenvendError extends Error {
  constructor(code, detail, { status, retryAfter = 0, cause } = {}) {
    super(`${code}: ${detail}`, cause ? { cause } : undefined)
    this.name = 'TokenvendError'
    this.code = code
    this.detail = detail
    this.status = status
    this.retryAfter = retryAfter
  }

  // Whether the error says nothing against a token at hand.
  get isPassing() {
    return this.status === undefined || this.status === 429 || this.status >= 500
  }
}

export const unavailable = (detail, cause) => new TokenvendError('unavailable', detail, { cause })

// Returns the error of an answer with a problem document (RFC 9457), or without.
export function ofProblem(status, problem) {
  if (typeof problem?.code !== 'string') {
    return new TokenvendError('unavailable', `HTTP status ${status}, not tokenvend's answer`, { status })
  }
  const retryAfter = typeof problem.retry_after === 'number' ? problem.retry_after : 0
  return new TokenvendError(problem.code, String(problem.detail ?? ''), { status, retryAfter })
}
