package simulator

import (
	"bytes"
	"encoding/json"
	"time"
)

// span is a duration that JSON holds as text.
type span time.Duration

// MarshalText returns a text such as 1m30s.
func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a text such as 1m30s.
func (d *span) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = span(v)
	return err
}

// IsZero is called by encoding/json for omitzero.
func (d span) IsZero() bool { return d == 0 }

// plainFault is a Fault without methods.
type plainFault Fault

// faultJSON is the JSON of a Fault. It replaces the durations, and shares their
// memory.
type faultJSON struct {
	*plainFault
	RetryAfter *span `json:"retry_after,omitzero"`
	Delay      *span `json:"delay,omitzero"`
	Drip       *span `json:"drip,omitzero"`
	Skew       *span `json:"skew,omitzero"`
}

func (f *Fault) asJSON() *faultJSON {
	return &faultJSON{(*plainFault)(f), (*span)(&f.RetryAfter), (*span)(&f.Delay), (*span)(&f.Drip), (*span)(&f.Skew)}
}

// MarshalJSON omits all fields that are zero.
func (f Fault) MarshalJSON() ([]byte, error) { return json.Marshal(f.asJSON()) }

// UnmarshalJSON replaces f. An unknown field is an error.
func (f *Fault) UnmarshalJSON(text []byte) error {
	var read Fault
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(read.asJSON()); err != nil {
		return err
	}
	*f = read
	return nil
}
