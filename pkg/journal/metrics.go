package journal

import (
	"log/slog"
	"time"
)

// metric is one value for CloudWatch, written into the line it belongs to.
type metric struct {
	name, unit string
	value      float64
}

// Units of CloudWatch.
const (
	count  = "Count"
	millis = "Milliseconds"
)

func (v Vend) metrics() []metric {
	switch {
	case v.Code != "":
		return []metric{{"Refusals", count, 1}}
	case v.Fingerprint != "":
		return []metric{{"Vends", count, 1}, {"VendTime", millis, milliseconds(v.Took)}}
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
	}{{"ScopesWithheld", v.Code == "" && v.Withheld != ""}, {"CredentialsFailing", v.ForGood}, {"GrantsEnding", !v.GrantUntil.IsZero()}} {
		if m.is {
			all = append(all, metric{m.name, count, 1})
		}
	}
	return all
}

func (p Pass) metrics() []metric {
	return []metric{{"Passes", count, 1}, {"Backlog", count, float64(p.Left)}, {"Overdue", count, float64(p.Overdue)}}
}

// definition and directive are the embedded metric format (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html): CloudWatch takes metrics out of log lines that say so. There are no dimensions: each combination of their values costs as much as a metric.
type definition struct {
	Name string
	Unit string
}

type directive struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []metricSet
}

type metricSet struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

// embedded is what makes a line carry metrics.
func embedded(namespace string, at time.Time, metrics []metric) []slog.Attr {
	set := metricSet{Namespace: namespace, Dimensions: [][]string{{}}}
	attrs := make([]slog.Attr, 0, len(metrics)+1)
	for _, m := range metrics {
		set.Metrics = append(set.Metrics, definition{m.name, m.unit})
		attrs = append(attrs, slog.Float64(m.name, m.value))
	}
	return append(attrs, slog.Any("_aws", directive{at.UnixMilli(), []metricSet{set}}))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
