package grant

import (
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
)

// OutcomeOf returns what a failed refresh says of the refresh token. Only a
// response that did not arrive, or that a failing server gave, may have used it
// up. A refusal in words has not, and an error after the token response says
// nothing of it.
func OutcomeOf(e *provider.Error) Outcome {
	const serviceUnavailable, tooEarly, misdirected = 503, 425, 421
	switch {
	case e.Redeemed:
		return Renewed
	case e.Meaning == descriptor.GrantOver:
		return Over
	case e.Meaning == descriptor.TooEarly:
		return TooEarly
	case e.Meaning == descriptor.TryLater:
		return TryLater
	case !e.Sent, e.Client, e.Kind == provider.Rejected, e.Kind == provider.Misconfigured:
		return Unrelated
	case e.Status == serviceUnavailable, e.Status == tooEarly, e.Status == misdirected, e.Status/100 == 3:
		return Unrelated
	}
	return Lost
}

// ReuseOf returns what a descriptor says of reuse.
func ReuseOf(d *descriptor.Descriptor) Reuse {
	if d == nil {
		return Unknown
	}
	if !d.SingleUse() {
		return MultiUse
	}
	switch d.Reuse() {
	case descriptor.ReuseTolerated:
		return Tolerated
	case descriptor.ReuseRefused:
		return Refused
	case descriptor.ReuseRevokesFamily:
		return RevokesFamily
	}
	return Unknown
}
