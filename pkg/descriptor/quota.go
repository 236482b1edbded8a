package descriptor

// Quota is how many token requests of one client a provider takes in a period.
// It is for a warning: no request is refused or delayed because of it.
type Quota struct {
	// Requests is from 1 to [MaxQuota].
	Requests int    `json:"requests,omitzero"`
	Per      Period `json:"per,omitempty"`
}

// MaxQuota is the largest number of requests that a quota may have.
const MaxQuota = 1_000_000_000

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
