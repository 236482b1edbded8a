package journal

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// metric is one value for CloudWatch. It is written into the line it belongs
// to.
type metric struct {
	name, unit string
	value      float64
}

// The units of CloudWatch.
const (
	count  = "Count"
	millis = "Milliseconds"
)

// serviceFailure returns the metric of a refusal that DynamoDB, KMS or Secrets
// Manager caused; "" for any other code.
func serviceFailure(code string) string {
	switch api.Code(code) {
	case api.StoreUnavailable:
		return "StoreFailures"
	case api.SealUnavailable:
		return "SealFailures"
	case api.SecretUnavailable:
		return "SecretFailures"
	}
	return ""
}

func (v Vend) metrics() []metric {
	switch {
	case v.Code != "":
		all := []metric{{"Refusals", count, 1}}
		if v.Failed {
			all = append(all, metric{"VendFailures", count, 1})
		}
		if name := serviceFailure(v.Code); name != "" {
			all = append(all, metric{name, count, 1})
		}
		return all
	case v.Fingerprint != "":
		// the average of VendFailures is the share of the vends that failed
		return []metric{{"Vends", count, 1}, {"VendTime", millis, milliseconds(v.Took)}, {"VendFailures", count, 0}}
	}
	return nil
}

func (v Mint) metrics() []metric {
	all := []metric{{"Mints", count, 1}}
	if v.Code != "" {
		all = []metric{{"MintFailures", count, 1}}
	}
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"ScopesWithheld", v.Code == "" && v.NotGranted != ""},
		{"CredentialsFailing", v.ForGood},
		{"GrantsEnding", !v.GrantUntil.IsZero()},
	} {
		if m.is {
			all = append(all, metric{m.name, count, 1})
		}
	}
	return all
}

// metrics returns no Backlog and no Overdue for a pass that could not read what
// is due: they are unknown then, and not 0.
func (p Pass) metrics() (all []metric) {
	store := p.StoreFailures
	if p.Unread {
		store++
	} else {
		all = []metric{
			{"Passes", count, 1}, {"Backlog", count, float64(p.Left)}, {"Overdue", count, float64(p.Overdue)},
		}
	}
	for _, m := range []struct {
		name string
		n    int
	}{
		{"StoreFailures", store}, {"SealFailures", p.SealFailures}, {"SecretFailures", p.SecretFailures},
	} {
		if m.n > 0 {
			all = append(all, metric{m.name, count, float64(m.n)})
		}
	}
	if p.DiscoveryFailed {
		all = append(all, metric{"DiscoveryFailed", count, 1})
	}
	return all
}

// directive is the attribute that makes a line carry metrics. CloudWatch
// extracts them from lines in the embedded metric format:
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
//
// There are no dimensions, because each combination of values is billed as a
// metric.
type directive struct {
	namespace string
	at        time.Time
	metrics   []metric
}

// MarshalJSON is written by hand because every vend writes a directive. Names
// and units are constants of this package in plain ASCII.
func (d directive) MarshalJSON() ([]byte, error) {
	namespace, err := json.Marshal(d.namespace)
	if err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 320), `{"Timestamp":`...)
	b = strconv.AppendInt(b, d.at.UnixMilli(), 10)
	b = append(append(b, `,"CloudWatchMetrics":[{"Namespace":`...), namespace...)
	b = append(b, `,"Dimensions":[[]],"Metrics":[`...)
	for i, m := range d.metrics {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"Name":"`...), m.name...), `","Unit":"`...)
		b = append(append(b, m.unit...), `"}`...)
	}
	return append(b, `]}]}`...), nil
}

// embed adds metrics to a line's attributes.
func embed(attrs []slog.Attr, d directive) []slog.Attr {
	for _, m := range d.metrics {
		attrs = append(attrs, slog.Float64(m.name, m.value))
	}
	return append(attrs, slog.Any("_aws", d))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
