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

// answer is what a provider sends back.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	outcome string // for the log: the error's code, or what was done
	fault   Fault  // of what is left of it, once the bytes are settled: Pad, Drip, Cut
}

// reply answers with the fields as one JSON object.
func reply(status int, outcome string, fields map[string]any) answer {
	a := answer{status: status, header: http.Header{}, outcome: outcome, body: object(fields, nil)}
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	return a
}

// granted is a token answer, with the fields that a fault sets in it.
func (c *call) granted(fields map[string]any) answer {
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

// object writes fields as JSON, sorted. What set holds is written as it is, for a fault may ask for what is no JSON.
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

// finish adds what every answer has, and what the fault does to any.
func (c *call) finish(a *answer) {
	f := c.fault
	a.fault = f
	a.header.Set("Date", c.clock().UTC().Format(http.TimeFormat))
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
		return c.clock().Add(c.fault.RetryAfter).UTC().Format(http.TimeFormat)
	}
	return strconv.FormatInt(int64(c.fault.RetryAfter/time.Second), 10)
}

// reader gives the body as the fault has it. Its pauses end with ctx.
func (a answer) reader(ctx context.Context) io.Reader {
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

// spaces never ends.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// broken is a connection that was closed too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// drip gives one byte at a time.
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
