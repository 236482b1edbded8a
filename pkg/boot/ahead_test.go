package boot

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

func TestAConnectionMadeAheadIsUsedWhileItIsFresh(t *testing.T) {
	for what, c := range map[string]struct {
		age  time.Duration
		want int32
	}{
		"fresh": {0, 1}, "old": {freshFor, 2}, "of the future": {-time.Hour, 2},
	} {
		t.Run(what, func(t *testing.T) {
			var connections atomic.Int32
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			server.StartTLS()
			defer server.Close()
			d := newDialer()
			d.Config.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			at, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			d.open(t.Context(), *at)
			for address, m := range d.ahead {
				m.at = m.at.Add(-c.age)
				d.ahead[address] = m
			}
			client := newAWSClient(d)
			for range 2 {
				answer, err := client.Get(server.URL)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
			client.CloseIdleConnections()
			if n := connections.Load(); n != c.want || len(d.ahead) > 0 {
				t.Errorf("%d connections, %d kept ahead; want %d and none", n, len(d.ahead), c.want)
			}
		})
	}
}
