package eventbridge_test

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/eventbridge"
)

func TestIsPing(t *testing.T) {
	for payload, want := range map[string]bool{
		`{"ping":true}`: true, " {\n\"ping\" : true }\n": true,
		``: false, `null`: false, `{}`: false, `[]`: false, `true`: false, `{"ping":false}`: false, `{"ping":1}`: false,
		`{"ping":true,"credential":"minut"}`: false, `{"ping":true}{}`: false, `{"ping":true`: false,
	} {
		if got := eventbridge.IsPing([]byte(payload)); got != want {
			t.Errorf("IsPing(%s) = %t, want %t", payload, got, want)
		}
	}
}

func TestReadEvent(t *testing.T) {
	const event = `{"version":"0","id":"53dc4d37","detail-type":"Scheduled Event","source":"aws.events","detail":{}}`
	for payload, want := range map[string]bool{
		event: true, ``: false, `null`: false, `{}`: false, `[]`: false, `{"source":"aws.events"}`: false,
		`{"credential":"minut"}`: false, `{"id":"1","source":"s","detail-type":"t"}`: false,
		`{"id":"1","source":"s","detail-type":"t","detail":{}}`: true,
	} {
		e, got := eventbridge.ReadEvent([]byte(payload))
		if scheduled := payload == event; got != want || e.IsScheduled() != scheduled {
			t.Errorf("ReadEvent(%s) = %+v, %t, want %t; scheduled: %t", payload, e, got, want, scheduled)
		}
	}
}
