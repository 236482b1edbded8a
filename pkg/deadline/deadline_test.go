package deadline_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/deadline"
)

type contextKey struct{}

func newDeadline(parent context.Context) *deadline.Context {
	return deadline.New(parent, time.Now().Add(time.Minute))
}

func TestDeadlineEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(context.WithValue(t.Context(), contextKey{}, "value"))
		defer d.Release()
		if at, ok := d.Deadline(); !ok || time.Until(at) != time.Minute {
			t.Errorf("Deadline() = %v, %t, want in a minute", at, ok)
		}
		if err := d.Err(); err != nil {
			t.Errorf("Err() at once = %v, want nil", err)
		}
		began := time.Now()
		<-d.Done()
		if took := time.Since(began); took != time.Minute || d.Err() != context.DeadlineExceeded {
			t.Errorf("Done() after %v, Err() = %v, want after a minute, %v", took, d.Err(), context.DeadlineExceeded)
		}
		if got := d.Value(contextKey{}); got != "value" {
			t.Errorf("Value() = %v, want the parent's", got)
		}
	})
}

func TestDeadlineWithoutTimerHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context())
		time.Sleep(time.Minute)
		if err := d.Err(); err != context.DeadlineExceeded {
			t.Errorf("Err() after the deadline = %v, want %v", err, context.DeadlineExceeded)
		}
		select {
		case <-d.Done():
		default:
			t.Error("Done() after the deadline is open, want closed")
		}
		d.Release()
	})
}

// The bubble of synctest fails if a goroutine is left: a derived context needs
// none.
func TestDeadlineEndsDerivedContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("the client has left")
		parent, leave := context.WithCancelCause(t.Context())
		d := newDeadline(parent)
		derived, cancel := context.WithTimeout(d, time.Hour)
		defer cancel()
		if at, _ := derived.Deadline(); time.Until(at) != time.Minute {
			t.Errorf("Deadline() of a derived context is in %v, want a minute", time.Until(at))
		}
		leave(why)
		if err := derived.Err(); err != context.Canceled || context.Cause(derived) != why {
			t.Errorf("derived Err() = %v because %v, want %v because %v", err, context.Cause(derived),
				context.Canceled, why)
		}
		if err := d.Err(); err != context.Canceled {
			t.Errorf("Err() = %v, want %v", err, context.Canceled)
		}
		d.Release()
	})
}

func TestDeadlineHasTheParentsEnd(t *testing.T) {
	parent, leave := context.WithCancel(t.Context())
	d := newDeadline(parent)
	leave()
	if err := d.Err(); err != context.Canceled {
		t.Errorf("Err() after the client has left = %v, want %v", err, context.Canceled)
	}
	d.Release()
}

func TestOutlastEndsAfterItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, leave := context.WithCancel(t.Context())
		longer, cancel := deadline.Outlast(parent, time.Second)
		defer cancel()
		leave()
		left := time.Now()
		synctest.Wait()
		if err := longer.Err(); err != nil {
			t.Errorf("Err() once the parent has ended = %v, want nil", err)
		}
		<-longer.Done()
		if took := time.Since(left); took != time.Second {
			t.Errorf("Done() %v after the parent's end, want a second", took)
		}
		other, cancel := deadline.Outlast(t.Context(), time.Second)
		cancel()
		if err := other.Err(); err != context.Canceled {
			t.Errorf("Err() of one that was cancelled = %v, want %v", err, context.Canceled)
		}
	})
}
