package monitor

import (
	"slices"
	"sync"
)

// kind is a type of metric, as Prometheus names it.
type kind string

const (
	counter kind = "counter"
	gauge   kind = "gauge"
	summary kind = "summary" // of seconds, without quantiles
)

// metric is a metric of the journal and its name here.
type metric struct {
	journal, name string
	kind          kind
	help          string
}

// metrics are the metrics of the journal that a server on one machine has.
var metrics = []metric{
	{"Vends", "tokenvend_vends_total", counter, "Tokens vended to callers."},
	{"VendFailures", "tokenvend_vend_failures_total", counter, "Vends that were answered with a status 5xx."},
	{"VendTime", "tokenvend_vend_seconds", summary, "Time to answer a vend."},
	{"Refusals", "tokenvend_refusals_total", counter, "Requests that were refused with an error code."},
	{"Mints", "tokenvend_mints_total", counter, "Tokens obtained from providers."},
	{"MintFailures", "tokenvend_mint_failures_total", counter, "Attempts to obtain a token that failed."},
	{
		"CredentialsFailing", "tokenvend_credentials_failing_total", counter,
		"Failures that only a change of the credential ends.",
	},
	{"ScopesWithheld", "tokenvend_scopes_withheld_total", counter, "Tokens with fewer scopes than requested."},
	{"GrantsEnding", "tokenvend_grants_ending_total", counter, "Mints of a grant that is about to end."},
	{"GrantsUnstored", "tokenvend_grants_unstored_total", counter, "New refresh tokens that were not stored."},
	{"IntegrityFailures", "tokenvend_integrity_failures_total", counter, "Rows that did not open."},
	{"TokensRefused", "tokenvend_tokens_refused_total", counter, "Unexpired tokens that a provider refused."},
	{"StoreFailures", "tokenvend_store_failures_total", counter, "Failures of the store."},
	{"SealFailures", "tokenvend_seal_failures_total", counter, "Failures of the sealing key."},
	{"SecretFailures", "tokenvend_secret_failures_total", counter, "Failures to read a credential."},
	{"DiscoveryFailed", "tokenvend_discovery_failures_total", counter, "Discoveries that failed."},
	{"Passes", "tokenvend_passes_total", counter, "Passes of the renewal."},
	{"Backlog", "tokenvend_backlog", gauge, "Tokens that were due and not renewed in the last pass."},
	{"Overdue", "tokenvend_overdue", gauge, "Tokens that were overdue at the last pass."},
}

// Counters sums the metrics of a journal. The zero value has counted nothing.
type Counters struct {
	mu     sync.Mutex
	values map[string]value
}

// value is what a metric has counted.
type value struct {
	sum   float64 // of a gauge: the last one
	count int64
}

// Observe adds a value of a metric of the journal. Times are in milliseconds.
func (c *Counters) Observe(name string, amount float64) {
	i := slices.IndexFunc(metrics, func(m metric) bool { return m.journal == name })
	if i < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = map[string]value{}
	}
	v := c.values[name]
	v.count++
	switch metrics[i].kind {
	case gauge:
		v.sum = amount
	case summary:
		v.sum += amount / 1000
	default:
		v.sum += amount
	}
	c.values[name] = v
}

// snapshot returns what each metric has counted.
func (c *Counters) snapshot(name string) value {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[name]
}
