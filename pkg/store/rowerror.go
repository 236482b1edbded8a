package store

// RowError is the error of a row that a list has met and that is no entry of
// this program: it wraps [ErrUnreadable] or [ErrNewer].
type RowError struct {
	Sort string // the row's sort key, as it stands in the store
	Err  error
}

// Error implements error.
func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *RowError) Unwrap() error { return e.Err }
