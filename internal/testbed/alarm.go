package testbed

import (
	"strings"
	"testing"
)

// Alarm is a CloudWatch alarm of template.yaml, its properties resolved. An
// alarm on one metric has Metrics of one element, as CloudWatch treats it.
type Alarm struct {
	AlarmDescription   string
	Metrics            []AlarmMetric
	EvaluationPeriods  int
	DatapointsToAlarm  int
	ComparisonOperator string
	Threshold          float64
	TreatMissingData   string
	AlarmActions       []string
	OKActions          []string
}

// AlarmMetric is a metric of an alarm, or an expression over others.
type AlarmMetric struct {
	ID         string `json:"Id"`
	Expression string
	MetricStat struct {
		Metric struct{ Namespace, MetricName string }
		Stat   string
		Period int // seconds
	}
}

// Alarms returns the alarms of a stack that notifies a topic, by their names in
// template.yaml, and the text of its dashboard.
func Alarms(t testing.TB) (alarms map[string]Alarm, dashboard string) {
	t.Helper()
	g, err := readGolden()
	if err != nil {
		t.Fatal(err)
	}
	r := newResolver(g.Expansion, "123456789012", "", map[string]any{
		"AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:topic",
	})
	alarms = map[string]Alarm{}
	for name, resource := range r.Resources {
		switch resource.Type {
		case "AWS::CloudWatch::Alarm":
			alarms[name] = r.alarm(t, name)
		case "AWS::CloudWatch::Dashboard":
			var d struct{ DashboardBody string }
			if err := r.properties(name, &d); err != nil {
				t.Fatal(err)
			}
			dashboard = d.DashboardBody
		}
	}
	return alarms, dashboard
}

func (r *resolver) alarm(t testing.TB, name string) Alarm {
	t.Helper()
	var one struct {
		Alarm
		Namespace, MetricName, Statistic string
		Period                           int
	}
	if err := r.properties(name, &one); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if one.MetricName != "" {
		m := AlarmMetric{ID: strings.ToLower(one.MetricName)}
		m.MetricStat.Metric.Namespace, m.MetricStat.Metric.MetricName = one.Namespace, one.MetricName
		m.MetricStat.Stat, m.MetricStat.Period = one.Statistic, one.Period
		one.Metrics = []AlarmMetric{m}
	}
	if one.DatapointsToAlarm == 0 {
		one.DatapointsToAlarm = one.EvaluationPeriods
	}
	return one.Alarm
}
