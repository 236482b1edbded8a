package extension

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// extensionsAPI is Lambda's Extensions API (AWS Lambda Developer Guide, "Using
// the Lambda Extensions API to create extensions").
type extensionsAPI struct {
	base       string // http://HOST:PORT/2020-01-01/extension/
	identifier string // that register was answered with
	http       http.Client
}

const (
	identifierHeader = "Lambda-Extension-Identifier"
	nameHeader       = "Lambda-Extension-Name"
	errorTypeHeader  = "Lambda-Extension-Function-Error-Type"
)

// The events of the Extensions API.
const (
	eventInvoke   = "INVOKE"
	eventShutdown = "SHUTDOWN"
)

func newExtensionsAPI(host string) *extensionsAPI {
	web := http.Client{Transport: &http.Transport{}} // without a proxy
	return &extensionsAPI{base: "http://" + host + "/2020-01-01/extension/", http: web}
}

// register registers the extension under the name of its file.
func (a *extensionsAPI) register(ctx context.Context, name string) error {
	body := `{"events":["` + eventInvoke + `","` + eventShutdown + `"]}`
	header, _, err := a.send(ctx, http.MethodPost, "register", body, http.Header{nameHeader: {name}})
	if err != nil {
		return err
	}
	if a.identifier = header.Get(identifierHeader); a.identifier == "" {
		return fmt.Errorf("register: the response has no header %s", identifierHeader)
	}
	return nil
}

// next waits for the next event, and returns its type.
func (a *extensionsAPI) next(ctx context.Context) (string, error) {
	_, body, err := a.send(ctx, http.MethodGet, "event/next", "", nil)
	if err != nil {
		return "", err
	}
	var event struct {
		Type string `json:"eventType"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return "", fmt.Errorf("event/next: the response is not the JSON of an event: %w", err)
	}
	return event.Type, nil
}

// fail reports that the extension ends: before its first call of next as an
// error of the initialization, after that as one of its exit.
func (a *extensionsAPI) fail(ctx context.Context, operation, errorType, message string) error {
	body, err := json.Marshal(map[string]any{"errorType": errorType, "errorMessage": message, "stackTrace": []string{}})
	if err != nil {
		return err
	}
	_, _, err = a.send(ctx, http.MethodPost, operation, string(body), http.Header{errorTypeHeader: {errorType}})
	return err
}

// maxEvent is the longest response that is read, in bytes.
const maxEvent = 1 << 20

func (a *extensionsAPI) send(ctx context.Context, method, operation, body string, header http.Header) (
	http.Header, []byte, error,
) {
	r, err := http.NewRequestWithContext(ctx, method, a.base+operation, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		r.Header = header
	}
	if a.identifier != "" {
		r.Header.Set(identifierHeader, a.identifier)
	}
	answer, err := a.http.Do(r)
	if err != nil {
		return nil, nil, fmt.Errorf("the Extensions API: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxEvent))
	if err != nil {
		return nil, nil, fmt.Errorf("the Extensions API: %s: %w", operation, err)
	}
	if answer.StatusCode/100 != 2 {
		return nil, nil, fmt.Errorf("the Extensions API: %s is answered with status %d", operation, answer.StatusCode)
	}
	return answer.Header, text, nil
}
