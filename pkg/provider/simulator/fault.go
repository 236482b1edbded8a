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

// OverlapRevokes is the value of [Fault.Overlap] with which a new token revokes
// the one before.
const OverlapRevokes = "revokes"

// Omit, as [Fault.Expiry] or as a value in [Fault.Set], leaves the field out.
const Omit = "omit"

// Fault is the misbehaviour of one provider. The zero value is none. In JSON,
// durations are texts such as "1m30s".
//
// Status, Body, HTML, Redirect and Drop replace the provider: it does not see
// the request, unless Late is set. All others change how the provider itself
// behaves. All can be combined.
type Fault struct {
	Times int `json:"times,omitzero"` // how many requests it applies to; 0: until changed
	// token, refresh, code, authorize, verify or revoke: the one kind it
	// applies to, and counts; "": every request
	Only string `json:"only,omitzero"`

	// answer with this status, 200 to 599; the body is the status as text
	// unless Body or HTML says otherwise
	Status int    `json:"status,omitzero"`
	Body   string `json:"body,omitzero"` // answer with these bytes
	// of Body, or of the provider's own answer; "": application/json
	ContentType string `json:"content_type,omitzero"`
	HTML        bool   `json:"html,omitzero"`     // answer with a page, as a firewall or a gateway does
	Redirect    string `json:"redirect,omitzero"` // answer with this Location and Status, or 307
	// more headers, over any answer: RateLimit-Reset, RateLimit-ResetsIn
	Header     map[string]string `json:"header,omitzero"`
	RetryAfter time.Duration     `json:"retry_after,omitzero"` // Retry-After in seconds
	RetryDate  bool              `json:"retry_date,omitzero"`  // Retry-After as a date, by the provider's clock

	Drop bool `json:"drop,omitzero"` // close the connection instead of answering
	// refuse the connection; over TLS all providers share one port, so there it
	// is reset during the handshake
	Down  bool          `json:"down,omitzero"`
	Late  bool          `json:"late,omitzero"`  // the provider processes the request, and only its response is lost
	Delay time.Duration `json:"delay,omitzero"` // delay of the response
	Drip  time.Duration `json:"drip,omitzero"`  // delay of each byte of the body
	Cut   bool          `json:"cut,omitzero"`   // close the connection in the middle of the body
	Pad   int64         `json:"pad,omitzero"`   // this many spaces before the body

	// raw JSON in place of when the token ends: null, 0, "3600", 3.6e3, -1; or
	// Omit
	Expiry string `json:"expiry,omitzero"`
	// raw JSON in place of, or besides, other fields of a token answer; or Omit
	Set  map[string]string `json:"set,omitzero"`
	Same bool              `json:"same,omitzero"` // the same token again, until it ends
	// revokes: a new token revokes the earlier ones of the client, or of the
	// user
	Overlap string `json:"overlap,omitzero"`
	Reuse   Reuse  `json:"reuse,omitzero"` // in place of the provider's own
	// the provider's clock is ahead by this: Date, absolute expiries, times in
	// tokens
	Skew time.Duration `json:"skew,omitzero"`
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

// replacesProvider reports whether the fault answers in place of the provider.
func (f Fault) replacesProvider() bool {
	return f.Status != 0 || f.Body != "" || f.HTML || f.Redirect != "" || f.Drop
}

const page = "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body><h1>Checking your " +
	"browser</h1></body></html>\n"

// replacement returns the response in place of the provider's.
func (f Fault) replacement() response {
	a := response{status: f.Status, header: http.Header{}, body: []byte(f.Body), outcome: "fault"}
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

// SetFault replaces the provider's fault; the zero Fault ends it. The error
// lists all fields that are wrong, or is [ErrUnknownProvider].
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

// Fault returns the current fault, with Times as the number of requests that
// are left; zero for an unknown provider.
func (s *Simulator) Fault(name string) (f Fault) {
	_ = s.with(name, func(p *provider) { f = p.currentFault() })
	return f
}

// currentFault returns the current fault. The provider must be locked.
func (p *provider) currentFault() Fault {
	f := p.fault.clone()
	f.Times = p.left
	return f
}

// takeFault returns the fault for one request of that kind, and counts the
// request. The provider must be locked.
func (p *provider) takeFault(kind string) Fault {
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
