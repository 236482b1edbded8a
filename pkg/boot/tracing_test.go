package boot

import (
	"io"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// With tracing off, an invocation, a call of AWS and a request to a provider
// are what they would be if there were no tracing.
func TestTracingOffAddsNothing(t *testing.T) {
	getenv := environment(map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
	s, err := read(getenv)
	if err != nil || s.tracer != nil || s.apiOptions() != nil || s.observer() != nil {
		t.Errorf("read() = %+v, %v, want no tracer", s, err)
	}
	handler, err := Vend(t.Context(), Process{Getenv: getenv, Log: io.Discard})
	if _, plain := handler.(*vend.Service); err != nil || !plain {
		t.Errorf("Vend() = %T, %v, want the Service itself", handler, err)
	}
	handler, err = Rotate(t.Context(), Process{Getenv: getenv, Log: io.Discard})
	if _, plain := handler.(*rotate.Rotator); err != nil || !plain {
		t.Errorf("Rotate() = %T, %v, want the Rotator itself", handler, err)
	}
}

func TestDaemonsAddressIsASetting(t *testing.T) {
	for address, ok := range map[string]bool{"": true, "169.254.100.1:2000": true, "localhost:2000": false} {
		_, err := read(environment(map[string]string{EnvTracing: "on", envDaemon: address}))
		if (err == nil) != ok {
			t.Errorf("read() with %s=%q = %v, want it taken: %t", envDaemon, address, err, ok)
		}
	}
}
