package probe

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Reading is a value, with the place where it is looked for.
type Reading struct {
	Field string `json:"field"`
	Place string `json:"place,omitempty"` // a JSON Pointer or header:NAME
	Found bool   `json:"found"`
	Value string `json:"value,omitempty"` // of what is no secret
}

// stepReadings describes what was taken of the answers to steps.
func stepReadings(d *descriptor.Descriptor, answers map[string]provider.Message) []Reading {
	all := []Reading{}
	for _, step := range d.Steps {
		request := placeholder.StepPrefix + step.Name
		m, answered := answers[request]
		for _, name := range slices.Sorted(maps.Keys(step.Take)) {
			found := answered && has(m, step.Take[name])
			all = append(all, Reading{request + "." + name, step.Take[name], found, ""})
		}
	}
	return all
}

// has reports whether an answer has a value at a place.
func has(m provider.Message, place string) bool {
	if header, ok := descriptor.HeaderPlace(place); ok {
		return m.Header.Get(header) != ""
	}
	doc, _, _ := m.Body.Document()
	return doc.Lookup(place) != nil
}

// selfSignedReadings describes a token for which no request was sent.
func selfSignedReadings(got provider.TokenResponse) []Reading {
	return []Reading{
		{Field: "access_token", Found: !got.Access.IsZero(), Value: fingerprint(got)},
		{Field: "expiry", Found: got.Expiry.Given, Value: expiryText(got.Expiry)},
	}
}

// readings describes what was read of the answer to the token request. Where
// callers get the token of the request after it, got has no type and no expiry
// of this answer.
func readings(d *descriptor.Descriptor, got provider.TokenResponse, answer provider.Message) []Reading {
	r := d.Response
	accessAt := cmp.Or(r.Access, "/access_token")
	if r.Format == descriptor.FormatText {
		accessAt = "the whole body"
	}
	all := []Reading{
		{"access_token", accessAt, !got.Access.IsZero(), fingerprint(got)},
		{"token_type", cmp.Or(r.Type, "/token_type"), got.Type != "", got.Type},
		{"expiry", cmp.Or(r.Expiry.At, "/expires_in"), got.Expiry.Given, expiryText(got.Expiry)},
		{"scope", cmp.Or(r.Scope, "/scope"), got.Scope != "", got.Scope},
		{"refresh_token", cmp.Or(r.Refresh, "/refresh_token"), !got.Refresh.IsZero(), ""},
	}
	if r.RefreshExpiry.At != "" {
		all = append(all, Reading{
			"refresh_expiry", r.RefreshExpiry.At, got.RefreshExpiry.Given, expiryText(got.RefreshExpiry),
		})
	}
	if d.Then != nil && d.Then.Access != "" {
		all[0].Value = ""
		all[1].Found, all[1].Value = has(answer, all[1].Place), ""
		all[2].Found, all[2].Value = has(answer, all[2].Place), ""
	}
	for _, name := range slices.Sorted(maps.Keys(r.Extra)) {
		_, found := got.Extra[name]
		all = append(all, Reading{"extra." + name, r.Extra[name], found, ""})
	}
	return all
}

// thenReadings describes what was read of the answer to the request after the
// token request.
func thenReadings(then *descriptor.Then, got provider.TokenResponse, answer provider.Message) (all []Reading) {
	if then == nil {
		return nil
	}
	if then.Access != "" {
		all = append(all, Reading{"then.access_token", then.Access, !got.Access.IsZero(), fingerprint(got)})
	}
	if then.Access != "" && then.Expiry.At != "" {
		all = append(all, Reading{"then.expiry", then.Expiry.At, got.Expiry.Given, expiryText(got.Expiry)})
	}
	for _, name := range slices.Sorted(maps.Keys(then.Extra)) {
		all = append(all, Reading{"then.extra." + name, then.Extra[name], has(answer, then.Extra[name]), ""})
	}
	return all
}

// errorReadings describes what was read of a refusal.
func errorReadings(r descriptor.Response, err error) []Reading {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Status == 0 {
		return []Reading{}
	}
	at := cmp.Or(r.Error, "/error")
	if r.Success.At != "" {
		at += " or " + r.Success.At
	}
	described := e.Code != "" && e.Description != ""
	return []Reading{
		{"error", at, e.Code != "", e.Code},
		{"error_description", cmp.Or(r.Description, "/error_description"), described, e.Description},
	}
}

func fingerprint(got provider.TokenResponse) string {
	if got.Access.IsZero() {
		return ""
	}
	return "fingerprint " + token.Fingerprint(got.Access)
}

func expiryText(e provider.Expiry) string {
	switch {
	case !e.Given:
		return ""
	case !e.At.IsZero():
		return "at " + e.At.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("in %v", e.In)
}
