package variants

import (
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// wanted is a variant that a caller wants minted.
type wanted struct {
	key token.Key
	by  string // the claimant
	at  time.Time
}

// usage is how many variants of a credential count.
type usage struct {
	bound, share        int // of all callers, of one
	all, own            int
	nextFree, nextOwned time.Time // when the first of all, of one caller's, no longer counts
}

const whatToDo = ": ask for one of those, or have max_variants raised in its secret"

// refusal returns why there may not be another variant; nil: there may.
func (u usage) refusal(now time.Time) *api.Error {
	switch {
	case u.all >= u.bound:
		detail := fmt.Sprintf("all %d combinations of scope and audience that may be in use are", u.bound)
		return failure.Until(api.TooManyVariants, detail+whatToDo, u.nextFree, now)
	case u.own >= u.share:
		detail := fmt.Sprintf("this caller uses %d combinations of scope and audience, its share", u.own)
		return failure.Until(api.TooManyVariants, detail+whatToDo, u.nextOwned, now)
	}
	return nil
}

// add counts a variant, of this or another caller, until a time.
func (u *usage) add(own bool, until time.Time) {
	u.all++
	if u.nextFree.IsZero() || until.Before(u.nextFree) {
		u.nextFree = until
	}
	if !own {
		return
	}
	u.own++
	if u.nextOwned.IsZero() || until.Before(u.nextOwned) {
		u.nextOwned = until
	}
}
