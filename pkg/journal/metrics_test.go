package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
)

// measured returns the metrics of a line: each name in its directive, with the
// value beside it.
func measured(t *testing.T, write func(journal.Journal)) map[string]float64 {
	t.Helper()
	var out bytes.Buffer
	write(journal.Journal{
		Log:     slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelError})),
		Metrics: "tokenvend/test",
	})
	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	values := map[string]any{}
	if json.Unmarshal(out.Bytes(), &line) != nil || json.Unmarshal(out.Bytes(), &values) != nil {
		t.Fatalf("the output = %q, want one line of JSON", out.String())
	}
	if age := time.Since(time.UnixMilli(line.AWS.Timestamp)); age < 0 || age > time.Minute {
		t.Errorf("the time stamp is %v old, want at most a minute", age)
	}
	set := line.AWS.CloudWatchMetrics[0]
	if set.Namespace != "tokenvend/test" || len(set.Dimensions) != 1 || len(set.Dimensions[0]) != 0 {
		t.Errorf("the metrics = %+v, want the namespace tokenvend/test without dimensions", set)
	}
	found := map[string]float64{}
	for _, m := range set.Metrics {
		found[m.Name] = values[m.Name].(float64)
	}
	return found
}

func TestFault58_EveryPassBeats(t *testing.T) {
	got := measured(t, func(j journal.Journal) { j.Pass(t.Context(), journal.Pass{}) })
	if len(got) != 3 || got["Passes"] != 1 || got["Backlog"] != 0 || got["Overdue"] != 0 {
		t.Errorf("the line of a pass with nothing to do = %v, want its metrics", got)
	}
	got = measured(t, func(j journal.Journal) { j.Pass(t.Context(), journal.Pass{Left: 7, Overdue: 2}) })
	if got["Backlog"] != 7 || got["Overdue"] != 2 {
		t.Errorf("the metrics of a pass = %v, want a backlog of 7 and 2 overdue", got)
	}
}

func TestMetricsOfLines(t *testing.T) {
	for says, c := range map[string]struct {
		write func(journal.Journal)
		want  map[string]float64
	}{
		"a vend": {func(j journal.Journal) {
			j.Vend(t.Context(), journal.Vend{Fingerprint: "x", Took: time.Millisecond})
		}, map[string]float64{"Vends": 1, "VendTime": 1, "VendFailures": 0}},
		"a refusal": {func(j journal.Journal) {
			j.Vend(t.Context(), journal.Vend{Code: "x"})
		}, map[string]float64{"Refusals": 1}},
		"a failed vend": {func(j journal.Journal) {
			j.Vend(t.Context(), journal.Vend{Code: "provider_unavailable", Failed: true})
		}, map[string]float64{"Refusals": 1, "VendFailures": 1}},
		"a refusal without the store": {func(j journal.Journal) {
			j.Vend(t.Context(), journal.Vend{Code: "store_unavailable"})
		}, map[string]float64{"Refusals": 1, "StoreFailures": 1}},
		"a refusal without the key": {func(j journal.Journal) {
			j.Vend(t.Context(), journal.Vend{Code: "seal_unavailable"})
		}, map[string]float64{"Refusals": 1, "SealFailures": 1}},
		"a refusal without the secret": {func(j journal.Journal) {
			j.Vend(t.Context(), journal.Vend{Code: "secret_unavailable"})
		}, map[string]float64{"Refusals": 1, "SecretFailures": 1}},
		"a start that failed": {func(j journal.Journal) {
			j.NotStarted(t.Context(), "TOKENVEND_TABLE: expected a value")
		}, map[string]float64{"StartFailures": 1}},
		"a pass that failed to read what is due": {func(j journal.Journal) {
			j.Pass(t.Context(), journal.Pass{Unread: true, Error: "x"})
		}, map[string]float64{"StoreFailures": 1}},
		"a discovery that failed": {func(j journal.Journal) {
			j.Discovery(t.Context(), journal.Discovery{Learned: 1, Err: errors.New("x")})
		}, map[string]float64{"DiscoveryFailed": 1}},
		"a discovery": {func(j journal.Journal) {
			j.Discovery(t.Context(), journal.Discovery{})
		}, map[string]float64{"DiscoveryFailed": 0}},
		"a pass without KMS and Secrets Manager": {func(j journal.Journal) {
			j.Pass(t.Context(), journal.Pass{StoreFailures: 1, SealFailures: 2, SecretFailures: 3})
		}, map[string]float64{
			"Passes": 1, "Backlog": 0, "Overdue": 0, "StoreFailures": 1, "SealFailures": 2, "SecretFailures": 3,
		}},
		"a mint": {func(j journal.Journal) {
			j.Mint(t.Context(), journal.Mint{})
		}, map[string]float64{"Mints": 1}},
		"a narrower scope": {func(j journal.Journal) {
			j.Mint(t.Context(), journal.Mint{NotGranted: "x"})
		}, map[string]float64{"Mints": 1, "ScopesWithheld": 1}},
		"a failed mint": {func(j journal.Journal) {
			j.Mint(t.Context(), journal.Mint{Code: "x"})
		}, map[string]float64{"MintFailures": 1}},
		"a failure for good": {func(j journal.Journal) {
			j.Mint(t.Context(), journal.Mint{Code: "x", ForGood: true})
		}, map[string]float64{"MintFailures": 1, "CredentialsFailing": 1}},
		"what does not open": {func(j journal.Journal) {
			j.Integrity(t.Context(), "minut", "x")
		}, map[string]float64{"IntegrityFailures": 1}},
	} {
		got := measured(t, c.write)
		if len(got) != len(c.want) {
			t.Errorf("the metrics of %s = %v, want %v", says, got, c.want)
		}
		for name, value := range c.want {
			if got[name] != value {
				t.Errorf("%s: %v, want %v", says, got, c.want)
			}
		}
	}
}

func TestWithoutANamespaceNothingIsMeasured(t *testing.T) {
	var out bytes.Buffer
	journal.Journal{Log: slog.New(slog.NewJSONHandler(io.MultiWriter(&out), nil))}.Pass(t.Context(), journal.Pass{})
	if out.Len() > 0 {
		t.Errorf("a pass with nothing to do wrote %s, want nothing", out.String())
	}
}
