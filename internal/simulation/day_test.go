package simulation_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

var (
	dayCredentials = flag.Int("credentials", usualCredentials, "how many credentials the simulated day has")
	dayHours       = flag.Int("hours", usualHours, "how long the simulated day is")
)

// dayWorkers is how many workers renew in the simulated day.
const dayWorkers = 4

// day is a stack with many credentials: tokens of an hour at a provider that
// answers in 50 ms, and a tenth as many at one that hangs.
type day struct {
	*testworld.World
	workers   []*rotate.Rotator
	discovery *rotate.Rotator
	size      int
	running   sync.WaitGroup
}

func newDay(t *testing.T, size int) *day {
	t.Helper()
	d := &day{World: testworld.New(t, testworld.Config{Simulator: simulator.Options{Log: 1}}), size: size}
	for i := range size {
		d.put(i, nil)
	}
	for i := range size / 10 {
		d.Put(fmt.Sprintf("hanging-%06d", i), "movemint", map[string]any{"keep_warm": true})
	}
	testworld.Must(t, d.Providers.SetFault("minut", simulator.Fault{Delay: 50 * time.Millisecond}))
	testworld.Must(t, d.Providers.SetFault("movemint", simulator.Fault{Delay: time.Minute}))
	for range dayWorkers {
		worker := d.NewRotator(d.NewProcess())
		worker.Look = time.Minute // reading every entry of a store in memory is slow
		d.workers = append(d.workers, worker)
	}
	d.discovery = d.NewRotator(d.NewProcess())
	return d
}

func (d *day) put(i int, scope any) {
	d.Put(fmt.Sprintf("healthy-%06d", i), "minut", map[string]any{"keep_warm": true, "scope": scope})
}

// tick invokes what the schedule invokes each minute. The discovery, which has
// to list a folder, is not invoked each time.
func (d *day) tick(discovers bool) {
	begin := func(run func(context.Context)) {
		d.running.Go(func() {
			ctx, cancel := context.WithTimeout(d.T.Context(), testworld.PassTimeout)
			defer cancel()
			run(ctx)
		})
	}
	if discovers {
		begin(func(ctx context.Context) {
			if _, err := d.discovery.Discover(ctx); err != nil {
				d.T.Errorf("Discover() = %v, want no error", err)
			}
		})
	}
	for i, worker := range d.workers {
		begin(func(ctx context.Context) {
			if _, err := worker.RunShare(ctx, rotate.Share{Worker: i + 1, Of: dayWorkers}); err != nil {
				d.T.Errorf("RunShare(%d) = %v, want no error", i+1, err)
			}
		})
	}
}

// change adds as many credentials as belong to a minute, and changes as many: a
// hundredth of all in the whole day.
func (d *day) change(minute, minutes int) {
	part := func(minute int) int { return d.size / 100 * minute / minutes }
	for i := part(minute); i < part(minute+1); i++ {
		d.put(d.size+i, nil)
		d.put(i, "read")
	}
}

// renewals returns how many tokens the provider that works was asked for.
func (d *day) renewals() int { return d.Providers.Stats().Providers["minut"].TokenRequests }

// overdue returns how many entries are overdue, and one that does not hang.
func (d *day) overdue() (hanging int, healthy string) {
	now := time.Now()
	due, err := d.Store.Due(d.T.Context(), now, 2*d.size)
	testworld.Must(d.T, err)
	for _, e := range due {
		switch {
		case e.AlarmAt.IsZero() || e.AlarmAt.After(now):
		case strings.HasPrefix(e.Key.Credential, "hanging"):
			hanging++
		default:
			healthy = e.Key.Credential
		}
	}
	return hanging, healthy
}

// No token of a provider that works is ever overdue, whatever hangs elsewhere
// and whatever is added and changed meanwhile.
func TestDayOfManyCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t, *dayCredentials)
		const firstTokens = 15 // minutes in which all get their first token
		minutes := *dayHours * 60
		for minute := range minutes {
			next := time.Now().Add(time.Minute)
			d.tick(minute%5 == 0)
			d.change(minute, minutes)
			time.Sleep(time.Until(next))
			hanging, healthy := d.overdue()
			if minute >= firstTokens && (healthy != "" || hanging != d.size/10) {
				t.Fatalf("in minute %d, %d of %d tokens at a provider that hangs are overdue, and of the others %q",
					minute, hanging, d.size/10, healthy)
			}
			d.Log.Take() // a day writes more than memory holds
			if (minute+1)%60 == 0 {
				t.Logf("hour %d of %d: %d renewals so far", (minute+1)/60, *dayHours, d.renewals())
			}
		}
		d.running.Wait()
		renewed, all := d.renewals(), d.size*(*dayHours)
		if renewed < all || renewed > 2*all+d.size {
			t.Errorf("%d token requests for %d credentials in %d hours, want one or two an hour each",
				renewed, d.size, *dayHours)
		}
	})
}
