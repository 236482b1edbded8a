package api

import (
	"fmt"
	"time"
)

// QuotaWarning is the part of a quota, in percent, from which on its use is a
// warning.
const QuotaWarning = 80

// Quota is how much of a provider's quota of token requests is used in the
// current period of UTC.
type Quota struct {
	Used     int64     `json:"used"`     // requests that were counted
	Requests int64     `json:"requests"` // that the provider takes
	Per      string    `json:"per"`      // hour, day or month
	Until    time.Time `json:"until"`    // the end of the period
}

// Percent returns how much is used, in percent. It is above 100 where more was
// requested.
func (q Quota) Percent() float64 { return 100 * float64(q.Used) / float64(max(1, q.Requests)) }

// IsNearlyUsedUp reports whether [QuotaWarning] percent are used.
func (q Quota) IsNearlyUsedUp() bool { return q.Percent() >= QuotaWarning }

// String returns what is used, such as "812 of 1000 this hour".
func (q Quota) String() string { return fmt.Sprintf("%d of %d this %s", q.Used, q.Requests, q.Per) }
