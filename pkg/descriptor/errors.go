package descriptor

import (
	"iter"
	"strings"
)

// Errors lists the vendor's own error codes and phrases by their meaning. Each
// entry is an error code, or a part of the description. Letter case does not
// matter. A number of one or two digits is a code, and so is any number where
// [Response.Success] is set. Common codes are known without it.
type Errors struct {
	// GrantOver means that the refresh token is invalid.
	GrantOver []string `json:"grant_over,omitempty"`
	// TooEarly means that the access token has too long to live.
	TooEarly []string `json:"too_early,omitempty"`
	// TryLater means that the server has a problem of its own.
	TryLater []string `json:"try_later,omitempty"`
	// UnknownClient means that the client id or its secret is wrong.
	UnknownClient []string `json:"unknown_client,omitempty"`
}

// Meaning is what an error means by the vendor's own code or phrase. The zero
// value means that none is known.
type Meaning string

// The meanings.
const (
	GrantOver     Meaning = "grant_over"     // invalid refresh token or code
	TooEarly      Meaning = "too_early"      // the access token lives on
	TryLater      Meaning = "try_later"      // the server has a problem
	UnknownClient Meaning = "unknown_client" // wrong client id or secret
)

// Phrases yields each phrase with its meaning. The meanings that cost a
// resource owner least come first: where several phrases match, the first one
// counts.
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
	return []phrases{
		{TooEarly, e.TooEarly},
		{TryLater, e.TryLater},
		{UnknownClient, e.UnknownClient},
		{GrantOver, e.GrantOver},
	}
}

// IsNumber reports whether a phrase is a number, such as the code of a vendor.
func IsNumber(phrase string) bool {
	phrase = strings.TrimPrefix(phrase, "-")
	return phrase != "" && strings.Trim(phrase, "0123456789") == ""
}
