package testbed

import (
	"regexp"
	"strconv"
)

// metricMath evaluates an expression of CloudWatch at one data point: numbers,
// metrics, comparisons, AND, IF and FILL (Amazon CloudWatch User Guide, "Using
// math expressions"). It panics on anything else.
type metricMath struct {
	text   string
	ranges map[string][]*float64 // the points of each metric, the newest first; a nil one is missing
	at     int                   // the point to evaluate
}

// value returns nil where the expression has no value.
func (m *metricMath) value() *float64 {
	v := m.and()
	if m.text != "" {
		panic("testbed: metric math that is not understood here: " + m.text)
	}
	return v
}

func (m *metricMath) and() *float64 {
	left := m.comparison()
	for m.take("AND") {
		right := m.comparison()
		left = combine(left, right, func(a, b float64) float64 { return truth(a != 0 && b != 0) })
	}
	return left
}

func (m *metricMath) comparison() *float64 {
	left := m.sum()
	switch {
	case m.take(">="):
		return combine(left, m.sum(), func(a, b float64) float64 { return truth(a >= b) })
	case m.take(">"):
		return combine(left, m.sum(), func(a, b float64) float64 { return truth(a > b) })
	}
	return left
}

func (m *metricMath) sum() *float64 {
	left := m.product()
	for m.take("+") {
		left = combine(left, m.product(), func(a, b float64) float64 { return a + b })
	}
	return left
}

func (m *metricMath) product() *float64 {
	left := m.operand()
	for m.take("*") {
		left = combine(left, m.operand(), func(a, b float64) float64 { return a * b })
	}
	return left
}

func (m *metricMath) operand() *float64 {
	switch word := m.word(); {
	case word == "IF":
		condition, then, otherwise := m.argument("("), m.argument(","), m.argument(",")
		m.want(")")
		if condition == nil {
			return nil
		}
		if *condition != 0 {
			return then
		}
		return otherwise
	case word == "FILL":
		m.want("(")
		points := m.ranges[m.word()]
		m.want(",")
		if m.take("REPEAT") {
			m.want(")")
			return repeat(points[m.at:])
		}
		with := m.and()
		m.want(")")
		return fill(points, m.at, with)
	case m.ranges[word] != nil:
		return m.ranges[word][m.at]
	default:
		number, err := strconv.ParseFloat(word, 64)
		if err != nil {
			panic("testbed: metric math does not know " + word)
		}
		return &number
	}
}

// fill returns a value for a missing point. A range without any point stays
// empty: what CloudWatch makes of one is not documented, and no alarm may
// depend on it.
func fill(points []*float64, at int, with *float64) *float64 {
	if points[at] != nil {
		return points[at]
	}
	for _, p := range points {
		if p != nil {
			return with
		}
	}
	return nil
}

// repeat returns the newest point that there is.
func repeat(points []*float64) *float64 {
	for _, p := range points {
		if p != nil {
			return p
		}
	}
	return nil
}

func (m *metricMath) argument(before string) *float64 {
	m.want(before)
	return m.and()
}

var mathToken = regexp.MustCompile(`^\s*([A-Za-z0-9_.]+|>=|[>(),*+])\s*`)

func (m *metricMath) take(token string) bool {
	found := mathToken.FindStringSubmatch(m.text)
	if found == nil || found[1] != token {
		return false
	}
	m.text = m.text[len(found[0]):]
	return true
}

func (m *metricMath) want(token string) {
	if !m.take(token) {
		panic("testbed: metric math: want " + token + " before " + m.text)
	}
}

func (m *metricMath) word() string {
	found := mathToken.FindStringSubmatch(m.text)
	if found == nil {
		panic("testbed: metric math that is not understood here: " + m.text)
	}
	m.text = m.text[len(found[0]):]
	return found[1]
}

// combine returns a point of two time series. It is missing where one of them
// is.
func combine(a, b *float64, f func(a, b float64) float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	value := f(*a, *b)
	return &value
}

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
