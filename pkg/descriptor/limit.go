package descriptor

// Overlap is what a new access token does to the one before it.
type Overlap string

// The values of [Overlap]. The first is the default.
const (
	OverlapUnknown Overlap = "unknown"
	OverlapKeeps   Overlap = "keeps"   // both work until they expire
	OverlapRevokes Overlap = "revokes" // the old one stops working
)

// Renew bounds the time of a renewal, as times before the expiry. 0 is the
// default of the schedule: 6 hours, and 2 minutes.
type Renew struct {
	// Earliest is the longest time before the expiry.
	Earliest Duration `json:"earliest,omitzero"`
	// Latest is the shortest time before the expiry.
	Latest Duration `json:"latest,omitzero"`
	// Concurrency is read by [Descriptor.Concurrency].
	Concurrency int `json:"concurrency,omitzero"`
}

// Limits names the header fields of a rate limit. Retry-After, RateLimit,
// RateLimit-Remaining, RateLimit-Reset, and the last two with X- before them
// are always read.
type Limits struct {
	// Remaining is the number of requests left. "" means unknown.
	Remaining string `json:"remaining,omitempty"`
	// Reset is the time at which there are more.
	Reset     string     `json:"reset,omitempty"`
	ResetKind ExpiryKind `json:"reset_kind,omitempty"`
}

// Permanent lists errors that retrying does not help, besides those of the
// RFCs: invalid_client, unauthorized_client, unsupported_grant_type,
// invalid_scope, invalid_target, and any OAuth error with status 403.
type Permanent struct {
	// Status lists statuses 4xx that are permanent with any body.
	Status []int `json:"status,omitempty"`
	// Errors lists values of "error".
	Errors []string `json:"errors,omitempty"`
}
