package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/consent"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

// The program's exit codes.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitRefused  = 4 // for good: only a change helps
)

// codes of refusals that are not merely failures.
var exits = map[api.Code]int{
	api.InvalidRequest:          exitUsage,
	api.UnknownCredential:       exitNotFound,
	api.ProviderRejected:        exitRefused,
	api.ReauthorizationRequired: exitRefused,
	api.AccessDenied:            exitRefused,
	api.Misconfigured:           exitRefused,
}

// advice is what to do about a refusal.
var advice = map[api.Code]string{
	api.AccessDenied:            `ask for what the credential allows, or widen "allow" in its secret`,
	api.UnknownCredential:       "tokenvend ls names those that you may have",
	api.TTLUnavailable:          "ask for a shorter --min-ttl",
	api.ReauthorizationRequired: "tokenvend connect, with the same flags, connects it",
	api.TooManyReports:          "try again after the time that is named",
	api.TooManyVariants:         "ask for the credential's default, or raise max_variants in its secret",
	api.ProviderRejected:        "check client id, client secret and token URL with the provider",
	api.ProviderMalformed:       "check that token_url and provider are the right ones",
	api.ProviderUnavailable:     "try again",
	api.Misconfigured:           "correct what is named in the credential's secret",
	api.StoreUnavailable:        "try again",
	api.SecretUnavailable:       "try again",
	api.SealUnavailable:         "try again",
	api.Internal:                "look into the server's log",
}

// explain says in one sentence what went wrong and what to do, and with which code to exit.
func explain(err error) (string, int) {
	if _, ok := errors.AsType[usageError](err); ok {
		return err.Error(), exitUsage
	}
	if e, ok := errors.AsType[inDoubt](err); ok {
		return e.Error(), exitFailed
	}
	if e, ok := errors.AsType[*api.Error](err); ok {
		text := strings.Replace(err.Error(), e.Error(), explainProblem(e), 1)
		return text, max(exits[e.Code], exitFailed)
	}
	if e, ok := errors.AsType[*consent.Refusal](err); ok {
		return explainRefusal(e)
	}
	if e, ok := errors.AsType[*credential.Malformed](err); ok {
		return explainMalformed(e), exitRefused
	}
	if _, ok := errors.AsType[notHere](err); ok {
		return err.Error(), exitNotFound
	}
	if text, code, ok := explainAWS(err); ok {
		return text, code
	}
	text := strings.TrimPrefix(err.Error(), "tokenvend: ")
	if e, ok := errors.AsType[*client.GatewayError](err); ok {
		return explainGateway(e, text)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		text += ": tokenvend serve starts a server, and --url names another"
	}
	return text, exitFailed
}

// explainAWS explains what did not even get to tokenvend.
func explainAWS(err error) (text string, code int, ok bool) {
	if e, is := errors.AsType[*awsError](err); is {
		return e.Error(), e.exit(), true
	}
	if e, is := errors.AsType[noCredentials](err); is {
		return e.Error(), exitFailed, true
	}
	if e, is := errors.AsType[*invoke.FunctionError](err); is {
		return strings.TrimPrefix(e.Error(), "tokenvend: ") + requestID(e.RequestID), exitFailed, true
	}
	return "", 0, false
}

func explainProblem(e *api.Error) string {
	title := uncapitalised(e.Code.Title())
	if e.Code == api.UnknownCredential && e.Detail != "" {
		title = "" // the detail says it again
	}
	parts := slices.DeleteFunc([]string{e.Credential, title, strings.TrimSuffix(e.Detail, ".")}, func(s string) bool { return s == "" })
	text := strings.Join(parts, ": ")
	if !strings.HasPrefix(e.Detail, "action: ") { // which says who may do it
		text += next(e.Code, e.RetryAfter)
	}
	return text + requestID(e.RequestID)
}

// next is what to do about a refusal, and when.
func next(code api.Code, after time.Duration) string {
	text := advice[code]
	if text == "" {
		return ""
	}
	if after > 0 && strings.HasPrefix(text, "try again") {
		text += ", in " + after.String()
	}
	return "; " + text
}

// explainRefusal says what the provider's authorize page sent a person back with.
func explainRefusal(e *consent.Refusal) (string, int) {
	switch {
	case e.Denied():
		return "access was not allowed, and nothing was stored: " + e.Error(), exitRefused
	case e.Transient():
		return e.Error() + "; nothing was stored: try again", exitFailed
	}
	return e.Error() + "; nothing was stored: check what is registered for this client at the provider, its redirect URI and its scopes", exitRefused
}

func explainGateway(e *client.GatewayError, text string) (string, int) {
	code := exitFailed
	if e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized {
		code = exitRefused
		text += "; check the AWS credentials, the region and the clock, and that their policy allows execute-api:Invoke on this path"
	}
	return text + requestID(e.RequestID), code
}

func requestID(id string) string {
	if id == "" {
		return ""
	}
	return " (request id " + id + ")"
}

func explainMalformed(e *credential.Malformed) string {
	var b strings.Builder
	b.WriteString("the secret is not as it should be, and nothing was written:")
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "\n  %s: %s", f.Field, f.Expected)
	}
	return b.String()
}

func uncapitalised(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToLower(first)) + s[size:]
}
