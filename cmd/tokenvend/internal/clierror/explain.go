package clierror

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/consent"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

// exits holds the exit codes of API errors that are not [Failed].
var exits = map[api.Code]Code{
	api.InvalidRequest:          BadUsage,
	api.UnknownCredential:       NotFound,
	api.ProviderRejected:        Refused,
	api.ReauthorizationRequired: Refused,
	api.AccessDenied:            Refused,
	api.Misconfigured:           Refused,
}

// Advice returns what to do about an API error of a credential, or "".
func Advice(code api.Code, credential string, commands hint.Commands) string {
	switch code {
	case api.AccessDenied:
		return `ask for what the credential allows, or widen "allow" in its secret`
	case api.UnknownCredential:
		return commands.Line("ls") + " names those that you may have"
	case api.TTLUnavailable:
		return "ask for a shorter --min-ttl"
	case api.ReauthorizationRequired:
		return commands.Token("connect", cmp.Or(credential, "NAME")) + " connects it"
	case api.TooManyReports:
		return "try again after the time that is named"
	case api.TooManyVariants:
		return "ask for the credential's default, or raise max_variants in its secret"
	case api.ProviderRejected:
		return "check client id, client secret, key or proof, and token URL with the provider"
	case api.ProviderMalformed:
		return "check that token_url and provider are the right ones"
	case api.ProviderUnavailable, api.StoreUnavailable, api.SecretUnavailable, api.SealUnavailable:
		return tryAgain
	case api.Misconfigured:
		return "correct what is named in the credential's secret"
	case api.Internal:
		return "look into the server's log"
	}
	return ""
}

const tryAgain = "try again"

// Explain returns what went wrong and what to do, in one sentence, and the exit
// code.
func Explain(err error, commands hint.Commands) (string, Code) {
	if _, ok := errors.AsType[*UsageError](err); ok {
		return err.Error(), BadUsage
	}
	if e, ok := errors.AsType[*OutcomeUnknownError](err); ok {
		cause, _ := Explain(e.Cause, commands)
		return (&OutcomeUnknownError{errors.New(cause), e.Command}).Error(), Failed
	}
	if e, ok := errors.AsType[*api.Error](err); ok {
		text := strings.Replace(err.Error(), e.Error(), explainAPI(e, commands), 1)
		return text, max(exits[e.Code], Failed)
	}
	if e, ok := errors.AsType[*consent.Refusal](err); ok {
		return explainRefusal(e)
	}
	if e, ok := errors.AsType[*credential.Malformed](err); ok {
		return explainMalformed(e), Refused
	}
	if IsNotFound(err) {
		return err.Error(), NotFound
	}
	if _, ok := errors.AsType[*UnsupportedError](err); ok {
		return err.Error(), Unsupported
	}
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return err.Error(), Refused
	}
	if text, code, ok := explainAWS(err); ok {
		return text, code
	}
	text := strings.TrimPrefix(err.Error(), "tokenvend: ")
	if e, ok := errors.AsType[*client.GatewayError](err); ok {
		return explainGateway(e, text)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		text += ": " + commands.Line("serve") + " starts a server, and --url names another"
	}
	return text, Failed
}

// explainAWS explains errors of requests that did not reach tokenvend.
func explainAWS(err error) (text string, code Code, ok bool) {
	if e, is := errors.AsType[*AWSError](err); is {
		return e.Error(), e.exit(), true
	}
	if e, is := errors.AsType[*NoAWSCredentialsError](err); is {
		return e.Error(), Failed, true
	}
	if e, is := errors.AsType[*invoke.FunctionError](err); is {
		return strings.TrimPrefix(e.Error(), "tokenvend: ") + requestID(e.RequestID), Failed, true
	}
	return "", 0, false
}

func explainAPI(e *api.Error, commands hint.Commands) string {
	title := Uncapitalize(e.Code.Title())
	if e.Code == api.UnknownCredential && e.Detail != "" {
		title = "" // the detail repeats it
	}
	detail := commands.Complete(strings.TrimSuffix(e.Detail, "."))
	parts := slices.DeleteFunc([]string{e.Credential, title, detail}, func(s string) bool { return s == "" })
	text := strings.Join(parts, ": ")
	if !strings.HasPrefix(e.Detail, "action: ") { // that detail names who may do it
		text += adviceAfter(e, commands)
	}
	return text + requestID(e.RequestID)
}

// adviceAfter returns what to do about an API error, and when.
func adviceAfter(e *api.Error, commands hint.Commands) string {
	text := Advice(e.Code, e.Credential, commands)
	if text == "" {
		return ""
	}
	if e.RetryAfter > 0 && text == tryAgain {
		text += ", in " + e.RetryAfter.String()
	}
	return "; " + text
}

// explainRefusal explains the error of an authorization response.
func explainRefusal(e *consent.Refusal) (string, Code) {
	switch {
	case e.Denied():
		return "access was not allowed, and nothing was stored: " + e.Error(), Refused
	case e.Transient():
		return e.Error() + "; nothing was stored: try again", Failed
	}
	return e.Error() + "; nothing was stored: check what is registered for this client at the provider, " +
		"its redirect URI and its scopes", Refused
}

func explainGateway(e *client.GatewayError, text string) (string, Code) {
	code := Failed
	if e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized {
		code = Refused
		text += "; check the AWS credentials, the region and the clock, " +
			"and that their policy allows execute-api:Invoke on this path"
	}
	return text + requestID(e.RequestID), code
}

func explainMalformed(e *credential.Malformed) string {
	var b strings.Builder
	b.WriteString("the secret is not as it should be, and nothing was written:")
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "\n  %s: %s", f.Field, f.Expected)
	}
	return b.String()
}

// Uncapitalize returns s with a small first letter.
func Uncapitalize(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToLower(first)) + s[size:]
}

// Lambda's error codes of invocations that did not take place.
var notInvoked = []string{"ResourceNotFoundException", "TooManyRequestsException"}

// IsOutcomeUnknown reports whether a request may have been carried out although
// err came back.
func IsOutcomeUnknown(err error) bool {
	if _, refused := errors.AsType[*api.Error](err); err == nil || refused {
		return false
	}
	if e, ok := errors.AsType[*client.GatewayError](err); ok {
		return e.Status >= http.StatusInternalServerError
	}
	if e, ok := errors.AsType[*AWSError](err); ok {
		return !e.IsDenied() && !e.IsUnauthenticated() && !slices.Contains(notInvoked, e.Code)
	}
	_, unsigned := errors.AsType[*NoAWSCredentialsError](err)
	return !unsigned
}
