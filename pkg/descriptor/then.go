package descriptor

// Then is a request after each token request, with its access token: for a
// session, or for values that callers need beside the token. All refresh
// requests have it too.
type Then struct {
	// Request has no standard parameters but those of a client authentication
	// that it names. Its URL may be relative to the token URL.
	Request
	// Access is the place of the token that callers get in place of the token
	// request's. "" is none.
	Access string `json:"access_token,omitempty"`
	// Expiry is that of Access. It has no default place.
	Expiry Instant `json:"expiry,omitzero"`
	// Extra has the places of further values, as [Response] does.
	Extra map[string]string `json:"extra,omitempty"`
}

// Full returns the request with defaults filled in.
func (t Then) Full() Request { return Step{Request: t.Request}.Full() }
