package outbound_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// Requests over connections of their own are observed too, and those that fail.
func TestEachRequestIsObserved(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) }))
	defer server.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	var seen []int
	shared := outbound.NewClient(outbound.Config{
		AllowPrivate: true, PlainLoopback: true,
		Observe: func(req *http.Request, began time.Time, res *http.Response) {
			status := 0
			if res != nil {
				status = res.StatusCode
			}
			if seen = append(seen, status); req.URL.Path != "/token" || time.Since(began) < 0 {
				t.Errorf("Observe(%s, %v), want the request of /token", req.URL, began)
			}
		},
	}).Transport
	own, _ := outbound.SingleUse(shared, nil)
	for _, rt := range []http.RoundTripper{shared, own} {
		for _, base := range []string{server.URL, gone.URL} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/token", nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := rt.RoundTrip(req)
			if err == nil {
				_ = res.Body.Close()
			}
		}
	}
	if want := []int{418, 0, 418, 0}; !slices.Equal(seen, want) {
		t.Errorf("Observe saw the statuses %v, want %v", seen, want)
	}
}
