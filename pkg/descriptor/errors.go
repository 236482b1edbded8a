package descriptor

import (
	"fmt"
	"iter"
	"strings"
)

// Errors names refusals that the vendor spells in its own way. Each entry is
// the value of an error code, or a part of the description. Letter case does
// not matter. Common spellings are known without it.
type Errors struct {
	GrantOver     []string `json:"grant_over,omitempty"`     // the refresh token works no more
	TooEarly      []string `json:"too_early,omitempty"`      // the access token is not nearly over
	TryLater      []string `json:"try_later,omitempty"`      // the server's own trouble
	UnknownClient []string `json:"unknown_client,omitempty"` // the client id or its secret is wrong
}

// Meaning is what a refusal says in the vendor's own words. The zero value
// means that nothing of these is known.
type Meaning string

// The meanings.
const (
	GrantOver     Meaning = "grant_over"     // the refresh token, or the code, works no more
	TooEarly      Meaning = "too_early"      // the access token is not nearly over
	TryLater      Meaning = "try_later"      // the server's own trouble
	UnknownClient Meaning = "unknown_client" // the client id or its secret is wrong
)

// Phrases yields each phrase with its meaning. The meanings that cost a resource
// owner least come first: where several phrases match, the first one counts.
func (e Errors) Phrases() iter.Seq2[Meaning, string] {
	return func(yield func(Meaning, string) bool) {
		for _, list := range e.lists() {
			for _, phrase := range list.phrases {
				if !yield(list.meaning, phrase) {
					return
				}
			}
		}
	}
}

type phrases struct {
	meaning Meaning
	phrases []string
}

func (e Errors) lists() []phrases {
	return []phrases{{TooEarly, e.TooEarly}, {TryLater, e.TryLater}, {UnknownClient, e.UnknownClient}, {GrantOver, e.GrantOver}}
}

// validate refuses phrases that would match nearly any error.
func (e Errors) validate(p *problems) {
	const shortest, longest = 3, 100
	seen := map[string]Meaning{}
	for _, list := range e.lists() {
		for i, phrase := range list.phrases {
			path := fmt.Sprintf("errors.%s[%d]", list.meaning, i)
			if len(phrase) < shortest || len(phrase) > longest {
				p.add(path, "expected %d to %d characters", shortest, longest)
			}
			if other, twice := seen[strings.ToLower(phrase)]; twice && other != list.meaning {
				p.add(path, "stands in errors.%s too", other)
			}
			seen[strings.ToLower(phrase)] = list.meaning
		}
	}
}
