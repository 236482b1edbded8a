package failure

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
)

const (
	sealDetail   = "the sealing key can't be used now"
	secretDetail = "the secret can't be read now"
)

// InternalDetail is what callers learn of an error that no one expected.
const InternalDetail = "an unexpected error, told in the log"

// API returns an error that callers may see: err itself if it holds an
// *api.Error, else an internal error.
func API(err error) error {
	if known, ok := errors.AsType[*api.Error](err); ok {
		return known
	}
	return &api.Error{Code: api.Internal, Detail: InternalDetail}
}

// Until returns an error with the time to come back.
func Until(code api.Code, detail string, until, now time.Time) *api.Error {
	return &api.Error{Code: code, Detail: detail, RetryAfter: max(until.Sub(now), 0)}
}

// Soon returns an error of a state that passes in a moment.
func Soon(code api.Code, detail string) *api.Error {
	return &api.Error{Code: code, Detail: detail, RetryAfter: schedule.ShortestWait}
}

// UnknownCredential returns the error for a credential that does not exist and
// for one that is not for the caller, which must not be told apart.
func UnknownCredential(name string) *api.Error {
	return &api.Error{
		Code: api.UnknownCredential, Credential: name,
		Detail: "there is no such credential, or none that this caller may know of",
	}
}

// SecretUnavailable returns the error for a secret that cannot be read now.
func SecretUnavailable(err error) *api.Error {
	return because(err, Soon(api.SecretUnavailable, secretDetail))
}

// SealUnavailable returns the error for a sealing key that cannot be used now.
func SealUnavailable(err error) *api.Error {
	return because(err, &api.Error{Code: api.SealUnavailable, Detail: sealDetail})
}

// because returns e with its cause, which goes to the log and into no answer.
func because(err error, e *api.Error) *api.Error {
	e.Cause = err
	return e
}

// StoreUnavailable returns the error for a failed call of the store.
func StoreUnavailable(err error) *api.Error {
	detail := "the store did not answer"
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		detail = "the store did not answer in time"
	case errors.Is(err, store.ErrFull):
		detail = "the disk of the store is full: an operator has to free some of it"
	case errors.Is(err, store.ErrUnreadable):
		detail = "the entry is damaged: an operator has to delete it from the store"
	case errors.Is(err, store.ErrNewer):
		detail = "the entry was written by a newer version of tokenvend"
	}
	return because(err, Soon(api.StoreUnavailable, detail))
}

// IsStore reports whether err means that the store could not be read.
func IsStore(err error) bool { return hasCode(err, api.StoreUnavailable) }

// IsStoreOrSeal reports whether err means that a row could not be read or
// opened, so that what memory holds may be out of date.
func IsStoreOrSeal(err error) bool { return IsStore(err) || hasCode(err, api.SealUnavailable) }

func hasCode(err error, code api.Code) bool {
	var known *api.Error
	return errors.As(err, &known) && known.Code == code
}

// Damaged is the error of a row that can be read but not understood.
type Damaged struct{ API *api.Error }

// Error returns what callers see.
func (d Damaged) Error() string { return d.API.Error() }

// Unwrap returns the *api.Error that callers see.
func (d Damaged) Unwrap() error { return d.API }

// IsDamaged reports whether err is a [Damaged].
func IsDamaged(err error) bool {
	var d Damaged
	return errors.As(err, &d)
}

// Recover turns a panic into an error, if it is deferred: the panic of one
// request must not end the process that serves others.
func Recover(ctx context.Context, j journal.Journal, err *error) {
	if value := recover(); value != nil {
		j.Panic(ctx, value, "")
		*err = &api.Error{Code: api.Internal, Detail: InternalDetail}
	}
}
