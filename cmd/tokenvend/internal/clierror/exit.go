// Package clierror explains errors to operators, and maps them to the exit
// codes of the program.
package clierror

import (
	"errors"
	"fmt"
)

// Code is an exit code of the program.
type Code int

// The exit codes of the program.
const (
	OK Code = iota
	Failed
	BadUsage
	NotFound
	Refused
	Unsupported
)

// codes describes each exit code, in order.
var codes = [...]string{
	OK:          "success",
	Failed:      "failure; another attempt may succeed",
	BadUsage:    "the command line or a parameter is wrong",
	NotFound:    "there is no such credential or provider",
	Refused:     "refused for good: another attempt fails too until something is changed",
	Unsupported: "the provider does not offer this",
}

// Codes returns each exit code with its meaning, in order.
func Codes() [][]string {
	rows := make([][]string, len(codes))
	for i, meaning := range codes {
		rows[i] = []string{fmt.Sprint(i), meaning}
	}
	return rows
}

// UsageError reports a wrong command line. It quotes no argument, because one
// may be a secret.
type UsageError struct{ text string }

// Error implements error.
func (e *UsageError) Error() string { return e.text }

// Usage returns a [UsageError].
func Usage(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// NotFoundError reports that there is no such credential or provider.
type NotFoundError struct{ Text string }

// Error implements error.
func (e *NotFoundError) Error() string { return e.Text }

// IsNotFound reports whether err is a [NotFoundError].
func IsNotFound(err error) bool {
	_, ok := errors.AsType[*NotFoundError](err)
	return ok
}

// UnsupportedError reports that a provider does not offer what was requested.
type UnsupportedError struct{ Text string }

// Error implements error.
func (e *UnsupportedError) Error() string { return e.Text }

// RefusedError reports a refusal that lasts until something is changed.
type RefusedError struct{ Text string }

// Error implements error.
func (e *RefusedError) Error() string { return e.Text }

// OutcomeUnknownError reports that a request may have been carried out although
// its response was lost. The request is not repeated: an authorization code can
// be used once.
type OutcomeUnknownError struct {
	Cause   error
	Command string // the command that shows whether it was carried out
}

// Error implements error.
func (e *OutcomeUnknownError) Error() string {
	return e.Cause.Error() + "; whether the grant was kept is not known: " + e.Command + " tells"
}

// Unwrap returns the cause.
func (e *OutcomeUnknownError) Unwrap() error { return e.Cause }

func requestID(id string) string {
	if id == "" {
		return ""
	}
	return " (request id " + id + ")"
}

// ExpectedError is the error of a flag's value. It does not quote the value.
type ExpectedError struct{ text string }

// Error implements error.
func (e *ExpectedError) Error() string { return e.text }

// Expected returns an [ExpectedError].
func Expected(format string, args ...any) error { return &ExpectedError{fmt.Sprintf(format, args...)} }
