package api

import (
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"time"
)

// Code is what went wrong, for programs.
type Code string

// The codes, each with its HTTP status in [Code.Status].
const (
	InvalidRequest          Code = "invalid_request"      // a bad name, number or JSON, an unknown field, a large body
	AccessDenied            Code = "access_denied"        // this scope, audience or account is not for this caller
	UnknownCredential       Code = "unknown_credential"   // there is none, or none that this caller may know of
	MethodNotAllowed        Code = "method_not_allowed"   // see the Allow header
	TTLUnavailable          Code = "ttl_unavailable"      // no token lives as long as min_ttl asks
	ReauthorizationRequired Code = "reauthorize"          // a user's grant has ended: connect again
	TooManyReports          Code = "too_many_reports"     // the reported token is too young
	TooManyVariants         Code = "too_many_variants"    // too many combinations of scope and audience are in use
	ProviderRejected        Code = "provider_rejected"    // the provider refused permanently
	ProviderMalformed       Code = "provider_malformed"   // the provider's response holds no usable token
	ProviderUnavailable     Code = "provider_unavailable" // time-outs, 5xx, 429, a cooldown
	Misconfigured           Code = "misconfigured"        // the secret or the descriptor is wrong
	StoreUnavailable        Code = "store_unavailable"
	SecretUnavailable       Code = "secret_unavailable"
	SealUnavailable         Code = "seal_unavailable"
	Internal                Code = "internal" // a defect of ours
)

// codes are all codes, each with the status and the title of its problem
// document.
var codes = map[Code]struct {
	status int
	title  string
}{
	InvalidRequest:          {http.StatusBadRequest, "The request is not understood"},
	AccessDenied:            {http.StatusForbidden, "Not allowed to this caller"},
	UnknownCredential:       {http.StatusNotFound, "No such credential"},
	MethodNotAllowed:        {http.StatusMethodNotAllowed, "The method is not allowed here"},
	TTLUnavailable:          {http.StatusUnprocessableEntity, "No token lives that long"},
	ReauthorizationRequired: {http.StatusFailedDependency, "The account must be connected again"},
	TooManyReports:          {http.StatusTooManyRequests, "The token is too young to be replaced"},
	TooManyVariants:         {http.StatusTooManyRequests, "Too many combinations of scope and audience are in use"},
	ProviderRejected:        {http.StatusBadGateway, "The provider refused"},
	ProviderMalformed:       {http.StatusBadGateway, "The provider's answer holds no usable token"},
	ProviderUnavailable:     {http.StatusServiceUnavailable, "The provider can't be asked now"},
	Misconfigured:           {http.StatusInternalServerError, "The credential is misconfigured"},
	StoreUnavailable:        {http.StatusServiceUnavailable, "The token store can't be reached"},
	SecretUnavailable:       {http.StatusServiceUnavailable, "The secret can't be read"},
	SealUnavailable:         {http.StatusServiceUnavailable, "The sealing key can't be used"},
	Internal:                {http.StatusInternalServerError, "Something went wrong here"},
}

// Status returns the code's HTTP status; 500 for a code that is not known.
func (c Code) Status() int { return cmp.Or(codes[c].status, http.StatusInternalServerError) }

// Title returns the code in a few words.
func (c Code) Title() string { return codes[c].title }

// Error is a problem document (RFC 9457).
type Error struct {
	Code       Code
	Detail     string        // what happened this time, for people; holds no secret
	Credential string        // "" where none is concerned
	RequestID  string        // names the call in the log
	RetryAfter time.Duration // when to try again; 0: nothing is known
	Allow      string        // for MethodNotAllowed: the Allow header
	Cause      error         // what a back end answered; for the log, and in no answer
}

// Error returns code and detail.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

// problem is the wire form of an Error.
type problem struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	Status     int    `json:"status"`
	Detail     string `json:"detail"`
	Code       Code   `json:"code"`
	Credential string `json:"credential,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	RetryAfter int    `json:"retry_after,omitzero"`
}

// ProblemType is the media type of an Error in JSON.
const ProblemType = "application/problem+json"

// MarshalJSON writes the problem document.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(problem{
		Type: "urn:tokenvend:error:" + string(e.Code), Title: e.Code.Title(), Status: e.Code.Status(),
		Detail: e.Detail, Code: e.Code, Credential: e.Credential, RequestID: e.RequestID, RetryAfter: e.RetrySeconds(),
	})
}

// UnmarshalJSON reads a problem document.
func (e *Error) UnmarshalJSON(data []byte) error {
	var p problem
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*e = Error{
		Code: p.Code, Detail: p.Detail, Credential: p.Credential, RequestID: p.RequestID,
		RetryAfter: time.Duration(p.RetryAfter) * time.Second,
	}
	return nil
}

// RetrySeconds returns RetryAfter in whole seconds, rounded up, for the
// Retry-After header. 0: none.
func (e *Error) RetrySeconds() int { return int(math.Ceil(e.RetryAfter.Seconds())) }
