package torture_test

import _ "embed"

// How each library is used.
const (
	inOAuth2           = "`clientcredentials.Config` with a fixed `AuthStyle`, and its `TokenSource`, which keeps a token. An `http.Client` with a time-out"
	inAuthlib          = "`OAuth2Session` of requests with `token_endpoint` and `default_timeout`: `fetch_token`, then `ensure_active_token`, which keeps a token"
	inRequestsOAuthlib = "`OAuth2Session` with `BackendApplicationClient`: `fetch_token` with `timeout`, again when `expires_at` has passed"
	inMSAL             = "`ConfidentialClientApplication` with `oidc_authority` and `timeout`: `acquire_token_for_client`, which keeps a token. It sends the secret in the body alone: n/a where a row has it in Basic"
	inOpenIDClient     = "`clientCredentialsGrant` with `timeout`; the token is kept until `expiresIn()` is 0"
	inSimpleOAuth2     = "`ClientCredentials` with `http.timeout`: `getToken`; the token is kept until `expired()`"
	inSpring           = "`AuthorizedClientServiceOAuth2AuthorizedClientManager`, which keeps a token, with `clientCredentials()` and the default `RestClient` with a read time-out"
)

// heading is the page above the tables, with a place for the libraries.
//
//go:embed testdata/heading.md
var heading string

const summaryHeading = `
## In how many rows

Of the %d rows that all have.

| | %s |
%s|
`
