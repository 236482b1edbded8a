package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// response is the response of a provider.
type response struct {
	status  int
	header  http.Header
	body    []byte
	outcome string // for the log: the error's code, or what was done
	fault   Fault  // the rest of the fault: Pad, Drip, Cut
}

// reply returns a response with the fields as one JSON object.
func reply(status int, outcome string, fields map[string]any) response {
	a := response{status: status, header: http.Header{}, outcome: outcome, body: object(fields, nil)}
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	return a
}

// granted returns a token response, with the fields that the fault sets.
func (c *call) granted(fields map[string]any) response {
	set := maps.Clone(c.fault.Set)
	if c.fault.Expiry != "" {
		if set == nil {
			set = map[string]string{}
		}
		set[c.expiry] = c.fault.Expiry
	}
	a := reply(http.StatusOK, "issued", nil)
	a.body = object(fields, set)
	a.header.Set("Cache-Control", "no-store")
	a.header.Set("Pragma", "no-cache")
	return a
}

// object returns the fields as JSON, sorted. The values of set are written as
// they are: a fault may ask for invalid JSON.
func object(fields map[string]any, set map[string]string) []byte {
	raw := map[string]string{}
	for name, v := range fields {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // fields are strings, numbers and lists of them
		}
		raw[name] = string(b)
	}
	maps.Copy(raw, set)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if raw[name] != Omit {
			parts = append(parts, strconv.Quote(name)+":"+raw[name])
		}
	}
	return []byte("{" + strings.Join(parts, ",") + "}")
}

// addHeader adds the header of every response, and what the fault changes in
// any response.
func (c *call) addHeader(a *response) {
	f := c.fault
	a.fault = f
	a.header.Set("Date", c.providerTime().UTC().Format(http.TimeFormat))
	if f.ContentType != "" {
		a.header.Set("Content-Type", f.ContentType)
	}
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", c.retryAfter())
	}
	for name, value := range f.Header {
		a.header.Set(name, value)
	}
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		a.body, a.fault.Pad, a.fault.Cut = nil, 0, false
		return
	}
	a.header.Set("Content-Length", strconv.FormatInt(f.Pad+int64(len(a.body)), 10))
}

func (c *call) retryAfter() string {
	if c.fault.RetryDate {
		return c.providerTime().Add(c.fault.RetryAfter).UTC().Format(http.TimeFormat)
	}
	return strconv.FormatInt(int64(c.fault.RetryAfter/time.Second), 10)
}

// reader returns the body as the fault changes it. Delays end with ctx.
func (a response) reader(ctx context.Context) io.Reader {
	body := io.Reader(bytes.NewReader(a.body))
	if a.fault.Pad > 0 {
		body = io.MultiReader(io.LimitReader(spaces{}, a.fault.Pad), body)
	}
	if a.fault.Cut {
		half := (a.fault.Pad + int64(len(a.body))) / 2
		body = io.MultiReader(io.LimitReader(body, half), broken{})
	}
	if a.fault.Drip > 0 {
		body = &drip{ctx: ctx, body: body, pause: a.fault.Drip}
	}
	return body
}

// spaces is an endless reader of spaces.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// broken is a connection that closes in the middle of the body.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// drip reads one byte at a time.
type drip struct {
	ctx   context.Context
	body  io.Reader
	pause time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if err := pause(d.ctx, d.pause); err != nil {
		return 0, err
	}
	return d.body.Read(p[:min(1, len(p))])
}
