// Package grant decides how a token may be obtained: one [Strategy] for each
// grant type, and the rule of refresh tokens as a table: what becomes of one
// after it was sent, and when it may be sent again. It does no I/O.
//
// A refresh token may be all that is left of a grant. Only a refusal by the
// provider, or the expiry of the refresh token, ends a grant. An outage of any
// length does not.
package grant

// Outcome is what came back when a refresh token was sent.
type Outcome string

// The outcomes. The zero value means that it was not sent.
const (
	// Rotated is an access token with a new refresh token.
	Rotated Outcome = "a token with a new refresh token"
	// Renewed is an access token without a refresh token (RFC 6749 §6: the
	// one that was sent goes on).
	Renewed Outcome = "a token without a refresh token"
	// Lost is no answer, or one that no refusal can be read from, after the
	// request may have been handled: the refresh token may be used up.
	Lost Outcome = "no answer that can be read"
	// Unrelated is an answer that does not mention the grant: a refusal in
	// unknown words, an unknown client, a firewall's page, 429, 503. A
	// request that never left belongs here too.
	Unrelated Outcome = "an answer that does not mention the grant"
	// TooEarly is a refusal because the access token is not nearly over.
	TooEarly Outcome = "too early"
	// TryLater is a refusal that names the provider's own state as its cause.
	TryLater Outcome = "try later"
	// Over is a refusal that says that the grant has ended: invalid_grant, or
	// what a provider sends in its place.
	Over Outcome = "the grant is over"
	// Expired is the expiry of the refresh token, as the provider gave it. It
	// is not sent then.
	Expired Outcome = "nothing: its own end has come"
)

// Reuse is what a provider is known to do when a refresh token that was
// redeemed is sent again.
type Reuse string

// What is known of reuse.
const (
	MultiUse      Reuse = "not single use"
	Tolerated     Reuse = "tolerated"
	Unknown       Reuse = "unknown"
	Refused       Reuse = "refused"
	RevokesFamily Reuse = "revokes the family"
)

// Access is the state of the access token that the grant brought last.
type Access string

// The states of an access token.
const (
	Living Access = "living"
	Dead   Access = "over"
)

// AccessOf returns the state of an access token that is alive or not.
func AccessOf(alive bool) Access {
	if alive {
		return Living
	}
	return Dead
}
