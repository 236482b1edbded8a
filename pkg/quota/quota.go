// Package quota has the quota of token requests that a provider grants a
// client, and how much of it is used.
package quota

import (
	"fmt"
	"time"
)

// Quota is how many token requests of one client a provider takes in a period.
// It is for a warning: no request is refused or delayed because of it.
type Quota struct {
	// Requests is from 1 to [MaxRequests].
	Requests int    `json:"requests,omitzero"`
	Per      Period `json:"per,omitempty"`
}

// MaxRequests is the largest number of requests that a quota may have.
const MaxRequests = 1_000_000_000

// Period is how long a quota lasts until it begins anew, in UTC.
type Period string

// The periods of quotas.
const (
	PerHour  Period = "hour"
	PerDay   Period = "day"
	PerMonth Period = "month"
)

// Periods returns all periods.
func Periods() []Period { return []Period{PerHour, PerDay, PerMonth} }

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
