package testbed

import (
	"slices"
	"time"
)

// Series are the values of metrics, by name and by minute.
type Series map[string]map[int][]float64

// AlarmState is a state of CloudWatch's.
type AlarmState string

// The states of an alarm.
const (
	AlarmOK               AlarmState = "OK"
	AlarmRaised           AlarmState = "ALARM"
	AlarmInsufficientData AlarmState = "INSUFFICIENT_DATA"
)

// Evaluate returns the state that the alarm has after each of the minutes. It
// evaluates once a minute over the EvaluationPeriods that end there (Amazon
// CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch
// alarms treat missing data").
func (a Alarm) Evaluate(s Series, minutes int) []AlarmState {
	states := make([]AlarmState, 0, minutes)
	state := AlarmInsufficientData
	for now := 1; now <= minutes; now++ {
		state = a.next(state, a.points(s, now))
		states = append(states, state)
	}
	return states
}

// next returns the state that follows on these points. A nil one is missing.
func (a Alarm) next(state AlarmState, points []*float64) AlarmState {
	breaching, missing := 0, 0
	for _, p := range points {
		switch {
		case p != nil && a.breaches(*p), p == nil && a.TreatMissingData == "breaching":
			breaching++
		case p == nil:
			missing++
		}
	}
	switch {
	case breaching >= a.DatapointsToAlarm:
		return AlarmRaised
	case missing < len(points) || a.TreatMissingData == "notBreaching":
		return AlarmOK
	case a.TreatMissingData == "ignore":
		return state
	}
	return AlarmInsufficientData
}

func (a Alarm) breaches(value float64) bool {
	switch a.ComparisonOperator {
	case "GreaterThanThreshold":
		return value > a.Threshold
	case "GreaterThanOrEqualToThreshold":
		return value >= a.Threshold
	case "LessThanThreshold":
		return value < a.Threshold
	}
	panic("testbed: the operator " + a.ComparisonOperator + " is not understood here")
}

// points returns the data points of the evaluation range that ends after the
// minute now, the newest first.
func (a Alarm) points(s Series, now int) []*float64 {
	ranges := map[string][]*float64{}
	for _, m := range a.Metrics {
		if m.Expression != "" {
			continue
		}
		length := m.MetricStat.Period / int(time.Minute/time.Second)
		for n := range a.EvaluationPeriods {
			from := now - (n+1)*length + 1
			var values []float64
			for minute := from; minute < from+length; minute++ {
				values = append(values, s[m.MetricStat.Metric.MetricName][minute]...)
			}
			ranges[m.ID] = append(ranges[m.ID], statistic(m.MetricStat.Stat, values))
		}
	}
	first := a.Metrics[0]
	if first.Expression == "" {
		return ranges[first.ID]
	}
	points := make([]*float64, a.EvaluationPeriods)
	for n := range points {
		points[n] = (&metricMath{text: first.Expression, ranges: ranges, at: n}).value()
	}
	return points
}

func statistic(name string, values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch name {
	case "Sum":
	case "Average":
		sum /= float64(len(values))
	case "Maximum":
		sum = slices.Max(values)
	case "Minimum":
		sum = slices.Min(values)
	default:
		panic("testbed: the statistic " + name + " is not understood here")
	}
	return &sum
}
