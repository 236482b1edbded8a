package journal

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"time"
)

// metric is one value for CloudWatch. It is written into the line it belongs
// to.
type metric struct {
	name, unit string
	value      float64
}

// The units of CloudWatch.
const (
	count   = "Count"
	millis  = "Milliseconds"
	percent = "Percent"
)

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
