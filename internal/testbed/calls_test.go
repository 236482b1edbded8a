package testbed

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// postAttempt sends a call to the proxy as the attempt of an SDK's invocation.
func postAttempt(t *testing.T, c *Calls, action, invocation string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, string(c.Endpoint), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+action)
	if invocation != "" {
		r.Header.Set("Amz-Sdk-Invocation-Id", invocation)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

func TestCallsCountsAttemptsOfOneInvocationOnce(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(service.Close)
	c := CountCalls(t, Endpoint(service.URL), nil)
	for _, invocation := range []string{"a", "a", "b", "", ""} {
		postAttempt(t, c, "GetItem", invocation)
	}
	postAttempt(t, c, "Query", "c")
	if got, want := c.Take(), (map[string]int{"GetItem": 4, "Query": 1}); !maps.Equal(got, want) {
		t.Errorf("Take() = %v, want %v", got, want)
	}
	postAttempt(t, c, "GetItem", "b")
	if got := c.Take(); len(got) != 0 {
		t.Errorf("Take() after a further attempt = %v, want none", got)
	}
}
