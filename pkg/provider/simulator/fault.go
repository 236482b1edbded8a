package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// OverlapRevokes is [Fault.Overlap] where a new token kills the one before.
const OverlapRevokes = "revokes"

// Omit, as [Fault.Expiry] or as a value in [Fault.Set], leaves the field out.
const Omit = "omit"

// Fault is one provider's misbehaviour. The zero value is none. As JSON, durations are texts such as "1m30s".
//
// Status, Body, HTML, Redirect and Drop stand in front of the provider: it never sees the request, unless Late. All others change how the provider itself behaves, and may be combined with each other and with those.
type Fault struct {
	Times int    `json:"times,omitzero"` // how many requests it applies to; 0: until changed
	Only  string `json:"only,omitzero"`  // token, refresh, code, authorize, verify or revoke: the one kind it applies to, and counts; "": every request

	Status      int               `json:"status,omitzero"`       // answer with this status, 200 to 599; the body is the status as text unless Body or HTML says otherwise
	Body        string            `json:"body,omitzero"`         // answer with these bytes
	ContentType string            `json:"content_type,omitzero"` // of Body, or of the provider's own answer; "": application/json
	HTML        bool              `json:"html,omitzero"`         // answer with a page, as a firewall or a gateway does
	Redirect    string            `json:"redirect,omitzero"`     // answer with this Location and Status, or 307
	Header      map[string]string `json:"header,omitzero"`       // more headers, over any answer: RateLimit-Reset, RateLimit-ResetsIn
	RetryAfter  time.Duration     `json:"retry_after,omitzero"`  // Retry-After in seconds
	RetryDate   bool              `json:"retry_date,omitzero"`   // Retry-After as a date, by the provider's clock

	Drop  bool          `json:"drop,omitzero"`  // close the connection instead of answering
	Down  bool          `json:"down,omitzero"`  // refuse the connection; over TLS all providers share one port, so there it is reset during the handshake
	Late  bool          `json:"late,omitzero"`  // the provider did its work first, and only its answer was lost
	Delay time.Duration `json:"delay,omitzero"` // wait this long between the work and the answer
	Drip  time.Duration `json:"drip,omitzero"`  // wait this long before each byte of the body
	Cut   bool          `json:"cut,omitzero"`   // close the connection in the middle of the body
	Pad   int64         `json:"pad,omitzero"`   // this many spaces before the body

	Expiry  string            `json:"expiry,omitzero"`  // raw JSON in place of when the token ends: null, 0, "3600", 3.6e3, -1; or Omit
	Set     map[string]string `json:"set,omitzero"`     // raw JSON in place of, or besides, other fields of a token answer; or Omit
	Same    bool              `json:"same,omitzero"`    // the same token again, until it ends
	Overlap string            `json:"overlap,omitzero"` // revokes: a new token kills the ones that this client, or person, had
	Reuse   Reuse             `json:"reuse,omitzero"`   // in place of the provider's own
	Skew    time.Duration     `json:"skew,omitzero"`    // the provider's clock is ahead by this: Date, absolute expiries, times in tokens
}

var kinds = []string{kindToken, kindRefresh, kindCode, kindAuthorize, kindVerify, kindRevoke}

func (f Fault) check() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(f.Times < 0, "times: %d is negative", f.Times)
	bad(f.Only != "" && !slices.Contains(kinds, f.Only), "only: %q is none of %v", f.Only, kinds)
	bad(f.Status != 0 && (f.Status < 200 || f.Status > 599), "status: %d is not within 200 and 599", f.Status)
	bad(f.Redirect != "" && f.Status != 0 && f.Status/100 != 3, "status: %d is no redirect", f.Status)
	bad(f.Pad < 0, "pad: %d is negative", f.Pad)
	bad(min(f.Delay, f.Drip, f.RetryAfter) < 0, "delay, drip, retry_after: none may be negative")
	bad(f.Overlap != "" && f.Overlap != OverlapRevokes, "overlap: %q is not %q", f.Overlap, OverlapRevokes)
	tempers := []Reuse{"", Tolerated, Refused, RevokesFamily}
	bad(!slices.Contains(tempers, f.Reuse), "reuse: %q is none of %q", f.Reuse, tempers[1:])
	return errors.Join(errs...)
}

func (f Fault) clone() Fault {
	f.Header, f.Set = maps.Clone(f.Header), maps.Clone(f.Set)
	return f
}

// fronts says whether something in front of the provider answers.
func (f Fault) fronts() bool {
	return f.Status != 0 || f.Body != "" || f.HTML || f.Redirect != "" || f.Drop
}

const page = "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1></body></html>\n"

// front is what stands in front of the provider answers.
func (f Fault) front() answer {
	a := answer{status: f.Status, header: http.Header{}, body: []byte(f.Body), outcome: "fault"}
	a.header.Set("Content-Type", "application/json")
	switch {
	case f.Redirect != "":
		a.header.Set("Location", f.Redirect)
		a.status = cmp.Or(f.Status, http.StatusTemporaryRedirect)
	case f.HTML:
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.body = []byte(page)
	case f.Body == "" && f.Status >= 400:
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		a.body = []byte(http.StatusText(f.Status) + "\n")
	}
	a.status = cmp.Or(a.status, http.StatusOK)
	return a
}

// SetFault replaces the provider's fault; the zero Fault ends it. An error names every field that is wrong, or is [ErrUnknownProvider].
func (s *Simulator) SetFault(name string, f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	return s.with(name, func(p *provider) { p.fault, p.left = f.clone(), f.Times })
}

// SetFaults is [Simulator.SetFault] for all providers.
func (s *Simulator) SetFaults(f Fault) error {
	for name := range s.providers {
		if err := s.SetFault(name, f); err != nil {
			return err
		}
	}
	return nil
}

// Fault returns the fault in force, Times being how often it still applies; zero for an unknown provider.
func (s *Simulator) Fault(name string) (f Fault) {
	_ = s.with(name, func(p *provider) { f = p.standing() })
	return f
}

// standing is the fault in force. Call it with p locked.
func (p *provider) standing() Fault {
	f := p.fault.clone()
	f.Times = p.left
	return f
}

// take returns the fault for one request of that kind, and counts it. Call it with p locked.
func (p *provider) take(kind string) Fault {
	f := p.fault
	if f.Only != "" && f.Only != kind {
		return Fault{}
	}
	if !reflect.ValueOf(f).IsZero() {
		p.counts.Faulted++
	}
	if p.left--; f.Times > 0 && p.left == 0 {
		p.fault = Fault{}
	}
	p.left = max(p.left, 0)
	return f
}
