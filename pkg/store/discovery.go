package store

import "time"

// Discovery is how far the discoveries of a long list of secrets have come.
// Times are whole milliseconds.
type Discovery struct {
	// all changes before it have been learned
	ChangedUntil time.Time
	// the start of the full comparison that is under way, or else of the last
	// one
	Compared time.Time
	// of a full comparison that is under way: the page of the list that is
	// next, and the name up to which all is compared. "": none is
	Page, After string
}
