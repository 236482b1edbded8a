// Package quota says how much of a provider's quota of token requests is used.
package quota

import (
	"fmt"
	"time"
)

// Warning is the part of a quota, in percent, from which on its use is a
// warning.
const Warning = 80

// Use is how much of a provider's quota of token requests is used in the
// current period of UTC.
type Use struct {
	Used     int64     `json:"used"`     // requests that were counted
	Requests int64     `json:"requests"` // that the provider takes
	Per      string    `json:"per"`      // hour, day or month
	Until    time.Time `json:"until"`    // the end of the period
}

// Percent returns how much is used, in percent. It is above 100 where more was
// requested.
func (u Use) Percent() float64 { return 100 * float64(u.Used) / float64(max(1, u.Requests)) }

// IsNearlyUsedUp reports whether [Warning] percent are used.
func (u Use) IsNearlyUsedUp() bool { return u.Percent() >= Warning }

// String returns what is used, such as "812 of 1000 this hour".
func (u Use) String() string { return fmt.Sprintf("%d of %d this %s", u.Used, u.Requests, u.Per) }
