package simulator

import (
	"bytes"
	"encoding/json"
	"time"
)

// span is a duration that is a text in JSON.
type span time.Duration

// MarshalText writes 1m30s.
func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads 1m30s.
func (d *span) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = span(v)
	return err
}

// IsZero is what omitzero asks.
func (d span) IsZero() bool { return d == 0 }

// plain is a Fault without its methods.
type plain Fault

// written stands before plain's own durations in JSON, and shares their memory.
type written struct {
	*plain
	RetryAfter *span `json:"retry_after,omitzero"`
	Delay      *span `json:"delay,omitzero"`
	Drip       *span `json:"drip,omitzero"`
	Skew       *span `json:"skew,omitzero"`
}

func (f *Fault) written() *written {
	return &written{(*plain)(f), (*span)(&f.RetryAfter), (*span)(&f.Delay), (*span)(&f.Drip), (*span)(&f.Skew)}
}

// MarshalJSON leaves out every field that is zero.
func (f Fault) MarshalJSON() ([]byte, error) { return json.Marshal(f.written()) }

// UnmarshalJSON replaces f; an unknown field is an error.
func (f *Fault) UnmarshalJSON(text []byte) error {
	var read Fault
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(read.written()); err != nil {
		return err
	}
	*f = read
	return nil
}
