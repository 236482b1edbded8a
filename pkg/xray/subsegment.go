package xray

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// AWSCall is a call of an AWS service that has ended.
type AWSCall struct {
	Service   string // such as DynamoDB
	Operation string // such as GetItem
	RequestID string // "": there was no response
	Table     string // of DynamoDB; "" for other services
	Status    int    // of HTTP; 0: there was no response
	Code      string // AWS's error code; "": the call succeeded
	Throttled bool   // the code says that there were too many calls
	Began     time.Time
}

// subsegment is the document of one call, sent separately from the segment of
// the function.
type subsegment struct {
	Name      string  `json:"name"`
	ID        string  `json:"id"`
	TraceID   string  `json:"trace_id"`
	ParentID  string  `json:"parent_id"`
	Type      string  `json:"type"`
	Namespace string  `json:"namespace"`
	StartTime float64 `json:"start_time"`
	EndTime   float64 `json:"end_time"`
	Error     bool    `json:"error,omitempty"`
	Throttle  bool    `json:"throttle,omitempty"`
	Fault     bool    `json:"fault,omitempty"`
	HTTP      *web    `json:"http,omitempty"`
	AWS       *aws    `json:"aws,omitempty"`
	Cause     *cause  `json:"cause,omitempty"`
}

// web is what a subsegment has of HTTP.
type web struct {
	Request  *request  `json:"request,omitempty"`
	Response *response `json:"response,omitempty"`
}

type request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
}

type response struct {
	Status int `json:"status"`
}

// aws is what a subsegment has of a call of AWS.
type aws struct {
	Operation string `json:"operation,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	TableName string `json:"table_name,omitempty"`
}

// cause is why a call failed.
type cause struct {
	Exceptions []exception `json:"exceptions"`
}

type exception struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Remote bool   `json:"remote"`
}

// ofAWS returns the subsegment of a call of AWS. A call that failed without a
// response is a fault.
func ofAWS(c AWSCall) subsegment {
	s := subsegment{
		Name: name(c.Service), Namespace: "aws", StartTime: seconds(c.Began),
		AWS: &aws{text(c.Operation), text(c.RequestID), text(c.Table)},
	}
	s.status(c.Status)
	if c.Code == "" {
		return s
	}
	s.Cause = &cause{[]exception{{ID: newID(), Type: text(c.Code), Remote: c.Status > 0}}}
	s.Throttle = s.Throttle || c.Throttled
	s.Fault = s.Fault || !s.Error
	return s
}

// ofRequest returns the subsegment of a request to a provider. status is 0 if
// there was no response.
func ofRequest(method string, u *url.URL, status int) subsegment {
	s := subsegment{Name: name(u.Hostname()), Namespace: "remote"}
	s.status(status)
	s.Fault = s.Fault || status == 0
	if s.HTTP == nil {
		s.HTTP = new(web)
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	s.HTTP.Request = &request{Method: text(method), URL: text(at.String())}
	return s
}

// status sets what a response's status says; 0 says nothing.
func (s *subsegment) status(status int) {
	if status == 0 {
		return
	}
	s.HTTP = &web{Response: &response{Status: status}}
	s.Throttle = status == http.StatusTooManyRequests
	s.Error = status >= 400 && status < 500
	s.Fault = status >= 500
}

const (
	maxName = 200 // characters, as X-Ray takes them
	maxText = 250
)

// name returns a name of at most [maxName] characters, all of which X-Ray
// takes.
func name(s string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(" _.:/%&#=+\\-@", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(s, "_"))
	if kept == "" {
		return "unknown"
	}
	return first(kept, maxName)
}

// text returns a value of at most [maxText] characters, without control
// characters.
func text(s string) string {
	return first(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "_")), maxText)
}

// first returns the first n characters of s.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// seconds returns a time as X-Ray wants it: in seconds, with microseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// newID returns the ID of a subsegment.
func newID() string {
	var id [idDigits / 2]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}
