package statuspage

import (
	"context"
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Config is what a page is made from. Tokens and Secret are required.
type Config struct {
	Tokens func(context.Context) ([]operate.Status, error) // every token's status
	Secret redact.String                                   // of the operator's key
	Events *Events                                         // nil: none are shown
	// Advice returns what to do about a token, "" for nothing. nil: nothing.
	Advice func(operate.Status) string
	// Command returns how an operator runs a command of the program. nil: the
	// command after "tokenvend".
	Command func(string) string
}

// page serves the page.
type page struct {
	Config
	sessions sessions
}

// choice is what the page is asked for.
type choice struct{ State, Text, Sort string }

func choiceOf(q url.Values) choice {
	return choice{State: q.Get("state"), Text: q.Get("text"), Sort: q.Get("sort")}
}
