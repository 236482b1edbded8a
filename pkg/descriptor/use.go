package descriptor

// Use is how an API expects the access token: in a header field, or in a
// parameter of the query. The zero value is "Authorization: Bearer TOKEN" (RFC
// 6750 §2.1).
type Use struct {
	// Header is the header field. "" is Authorization.
	Header string `json:"header,omitempty"`
	// Prefix stands before the token in the header field, with a space at its
	// end where one is needed. "" is none, and "Bearer " in the zero value.
	Prefix string `json:"prefix,omitempty"`
	// Query is the parameter of the query. "" is none.
	Query string `json:"query,omitempty"`
}
