// Package xray records the calls of a Lambda function as subsegments of AWS
// X-Ray. It sends them to the X-Ray daemon, which runs beside each function
// (AWS X-Ray Developer Guide, "AWS X-Ray segment documents" and "Sending trace
// data to AWS X-Ray"). It uses no SDK.
//
// A subsegment shows which service was called, when, and with which status. It
// never has anything of a body, of a header field, or of a URL besides scheme
// and host: paths, queries and user names of providers can hold tokens.
package xray

import (
	"context"
	"strings"
)

// trace is the trace that an invocation belongs to.
type trace struct {
	id      string
	parent  string // the segment of the function, which Lambda writes
	sampled bool   // it is recorded
}

// traceKey is the key of a trace in a context.
type traceKey struct{}

// NewContext returns ctx with the trace of a tracing header, such as
// "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".
// It returns ctx itself if the header names no trace. Callers of the function
// choose parts of the header, so anything but the documented form is no trace.
func NewContext(ctx context.Context, header string) context.Context {
	t, ok := parseHeader(header)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceID returns the ID of the trace of ctx; "" if there is none.
func TraceID(ctx context.Context) string {
	t, _ := ctx.Value(traceKey{}).(trace)
	return t.id
}

// parseHeader parses a tracing header. Unknown fields are ignored.
func parseHeader(header string) (t trace, ok bool) {
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Root":
			t.id = value
		case "Parent":
			t.parent = value
		case "Sampled":
			t.sampled = value == "1"
		}
	}
	t.sampled = t.sampled && isHex(t.parent, idDigits)
	return t, isTraceID(t.id)
}

const (
	idDigits      = 16 // of a segment
	timeDigits    = 8  // of a trace ID: when it began
	uniqueDigits  = 24 // of a trace ID
	traceIDPrefix = "1-"
)

// isTraceID reports whether id is a trace ID of X-Ray.
func isTraceID(id string) bool {
	rest, ok := strings.CutPrefix(id, traceIDPrefix)
	began, unique, both := strings.Cut(rest, "-")
	return ok && both && isHex(began, timeDigits) && isHex(unique, uniqueDigits)
}

// isHex reports whether s consists of n hexadecimal digits, in lower case.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}
