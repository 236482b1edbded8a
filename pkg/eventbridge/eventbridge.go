// Package eventbridge reads what rules of EventBridge send to a function: pings
// and events.
package eventbridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Pong is what a function answers to a ping.
const Pong = `{"ok":true}`

// IsPing reports whether a payload is {"ping":true}: a request for nothing,
// which keeps an instance of a function warm.
func IsPing(payload []byte) bool {
	var p struct {
		Ping bool `json:"ping"`
	}
	return DecodeStrict(payload, &p) == nil && p.Ping
}

// DecodeStrict decodes a payload that is one JSON object and refuses fields
// that are not known.
func DecodeStrict(payload []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("expected nothing after the JSON object")
	}
	return nil
}

// Event is what all events of EventBridge have (Amazon EventBridge User Guide,
// "Events").
type Event struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
}

// ReadEvent reads an event of EventBridge. It reports false for any other
// payload.
func ReadEvent(payload []byte) (e Event, ok bool) {
	err := json.Unmarshal(payload, &e)
	return e, err == nil && e.ID != "" && e.Source != "" && e.DetailType != "" && len(e.Detail) > 0
}

// IsScheduled reports whether a rule or a schedule of EventBridge sent the
// event because it was time.
func (e Event) IsScheduled() bool { return e.DetailType == "Scheduled Event" }
