package client_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// tokenvend hangs for an hour, from a minute before the token's cache_until on.
// No caller waits while the token lives; after its end each waits at most as
// long as its context.
func TestCaseC40_ClientNeverBlocksWhileATokenLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, limit = 1000, 3 * time.Second
		fake := hourly()
		s := sourceOf(t, fake)
		start := time.Now()
		first := mustToken(t, s)
		end := start.Add(time.Hour - 10*time.Second) // the margin
		time.Sleep(47 * time.Minute)
		fake.Delay(time.Hour)
		recovered := time.Now().Add(time.Hour)
		var all sync.WaitGroup
		var hits, waits atomic.Int64
		for caller := range callers {
			all.Go(func() {
				time.Sleep(time.Duration(caller) * 7 * time.Millisecond)
				for time.Now().Before(recovered) {
					began := time.Now()
					ctx, cancel := context.WithTimeout(context.Background(), limit)
					token, err := s.Token(ctx)
					cancel()
					took := time.Since(began)
					switch {
					case began.Before(end):
						hits.Add(1)
						if err != nil || took != 0 || token.Reveal() != first {
							t.Errorf(
								"Token() at %v = %v, %v after %v; want the one at hand at once",
								began.Sub(start),
								token,
								err,
								took,
							)
						}
					case err == nil || took > limit:
						t.Errorf(
							"Token() at %v = %v, %v after %v; want an error within %v",
							began.Sub(start),
							token,
							err,
							took,
							limit,
						)
					default:
						waits.Add(1)
					}
					time.Sleep(17 * time.Second)
				}
			})
		}
		all.Wait()
		if hits.Load() < 40*callers || waits.Load() < 100*callers {
			t.Errorf(
				"%d calls found a living token and %d did not: too few to show anything",
				hits.Load(),
				waits.Load(),
			)
		}
		if n := len(fake.Requests()); n > 1+2*60*2 {
			t.Errorf("tokenvend was sent %d requests while it hung for an hour, want two a minute or so", n)
		}
		fake.Delay(0)
		time.Sleep(time.Minute)
		if got := mustToken(t, s); got == first {
			t.Errorf("Token() once tokenvend answers again = %s, want another", got)
		}
	})
}

func TestCallWithoutATokenWaitsAtMostItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		fake.Delay(time.Hour)
		s := sourceOf(t, fake)
		for _, limit := range []time.Duration{0, time.Millisecond, 5 * time.Second} {
			began := time.Now()
			_, err := s.Token(within(t, limit))
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != limit {
				t.Errorf("Token() = %v after %v, want the deadline after %v", err, took, limit)
			}
		}
		began := time.Now()
		if _, err := s.Token(context.Background()); err == nil || time.Since(began) > 30*time.Second {
			t.Errorf(
				"Token() without a deadline = %v after %v, want an error after 30s at most",
				err,
				time.Since(began),
			)
		}
	})
}

// deaf is a transport that ignores its context.
type deaf struct {
	*clienttest.Server
	hangs atomic.Bool
	end   chan struct{}
}

func (d *deaf) Send(ctx context.Context, r api.Request) ([]byte, error) {
	if d.hangs.Load() {
		<-d.end
	}
	return d.Server.Send(ctx, r)
}

// A request that never ends, as one that was frozen with its process may, is
// given up by the wall clock.
func TestStuckRequestIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &deaf{Server: hourly(), end: make(chan struct{})}
		c := client.New(transport, client.Timeout(10*time.Second))
		s := c.Source("minut")
		transport.hangs.Store(true)
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := s.Token(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Token() of the stuck request = %v, want its deadline", err)
			}
		})
		time.Sleep(13 * time.Second)
		transport.hangs.Store(false)
		second := mustToken(t, s)
		first.Wait()
		close(transport.end)
		synctest.Wait()
		if got := mustToken(t, s); got != second {
			t.Errorf("Token() once the stuck request has ended = %s, want %s", got, second)
		}
		_ = c.Close()
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		c := client.New(fake)
		s, other := c.Source("minut"), c.Source("monta")
		first := mustToken(t, s)
		fake.Delay(time.Hour)
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := other.Token(t.Context()); !errors.Is(err, client.ErrClosed) {
				t.Errorf("Token() while the client is closed = %v, want ErrClosed", err)
			}
		})
		synctest.Wait()
		began := time.Now()
		if err := c.Close(); err != nil || time.Since(began) != 0 {
			t.Errorf("Close() = %v after %v, want nil at once", err, time.Since(began))
		}
		waiting.Wait()
		if got := mustToken(t, s); got != first {
			t.Errorf("Token() of a closed client = %s, want the one at hand", got)
		}
		time.Sleep(50 * time.Minute)
		if got := mustToken(t, s); got != first {
			t.Errorf("Token() of a closed client past cache_until = %s, want the one at hand", got)
		}
		time.Sleep(10 * time.Minute)
		if _, err := s.Token(t.Context()); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Token() of a closed client after the token's end = %v, want ErrClosed", err)
		}
	})
}

func TestBackgroundFailuresAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		fake := hourly()
		s := sourceOf(t, fake, client.Logger(slog.New(slog.NewTextHandler(&log, nil))))
		mustToken(t, s)
		fake.Fail(&api.Error{Code: api.StoreUnavailable, Detail: "down"})
		time.Sleep(50 * time.Minute)
		mustToken(t, s)
		synctest.Wait()
		if got := log.String(); !strings.Contains(got, "level=WARN") ||
			!strings.Contains(got, `credential=minut error="store_unavailable: down"`) {
			t.Errorf("the log has %q, want a warning that names credential and error", got)
		}
	})
}
