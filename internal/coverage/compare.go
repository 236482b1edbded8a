package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/schedule"
)

// checkToken compares the token of the shape with those that were obtained.
// Each of them stands in an answer.
func (r *run) checkToken() {
	for _, got := range r.got {
		isAnswered := func(sent request) bool { return sent.Answer.has(got.response.Access.Reveal()) }
		if got.grant != descriptor.SelfSigned && !slices.ContainsFunc(got.answers, isAnswered) {
			r.add("token = %q, want one of an answer", got.response.Access.Reveal())
		}
	}
	for _, got := range r.got {
		if !r.isToken(got.response.Access.Reveal()) {
			continue
		}
		r.checkLifetime(got)
		r.checkExtra(got.response)
		return
	}
	r.add("no response has the token %q", r.Token)
}

func (r *run) isToken(access string) bool {
	if rule, isRule := r.expect.Rules[r.Token]; isRule {
		c := r.server.checks
		if problem := rule.check(access, &c); problem != "" {
			r.add("token %s", problem)
		}
		return true
	}
	return access == r.Token
}

// checkLifetime compares how long the token is vended at most.
func (r *run) checkLifetime(got obtained) {
	want := r.ExpiresIn
	if l := r.expect.Lifetime; l != nil {
		want = &l.Seconds
		if l.Midnight != "" {
			left := untilMidnight(got.asked, l.Midnight)
			want = &left
		}
	}
	if want == nil {
		return
	}
	rules := schedule.RulesOf(r.credential.Terms, r.descriptor, nil, got.grant)
	resp := got.response
	if resp.SentAt.IsZero() {
		resp.SentAt = got.asked // it was signed, and not sent
	}
	life := time.Duration(*want * float64(time.Second))
	expires := schedule.Token(resp, rules, schedule.Jitter{}).Expires
	if expires.Before(got.asked.Add(life-tolerance)) || expires.After(got.came.Add(life+tolerance)) {
		r.add("the token expires %v after it was requested, want %v", expires.Sub(got.asked), life)
	}
}

// untilMidnight returns the seconds until midnight in a zone, which is an
// offset from UTC.
func untilMidnight(now time.Time, zone string) float64 {
	local := now.In(must(time.Parse("-07:00", zone)).Location())
	year, month, day := local.Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, local.Location()).Sub(now).Seconds()
}

// fromWhere is how a shape says where a further value stands.
var fromWhere = regexp.MustCompile(` \((body|header) [^)]*\)$`)

// checkExtra compares the further values. A refresh token is none: it is kept,
// and not vended.
func (r *run) checkExtra(resp provider.TokenResponse) {
	want := map[string]string{}
	for name, value := range r.Extra {
		text := fromWhere.ReplaceAllString(fmt.Sprint(value), "")
		if own, given := r.expect.Extra[name]; given {
			text = own.Value
		}
		if strings.HasPrefix(name, "refresh_token") {
			if got := resp.Refresh.Reveal(); got != text {
				r.add("refresh token = %q, want %q", got, text)
			}
			continue
		}
		want[name] = text
	}
	got := resp.Extra.Reveal()
	if !maps.Equal(got, want) {
		r.add("extra = %v, want %v", got, want)
	}
}

// checkUse compares how the token is used.
func (r *run) checkUse() {
	want := use{Header: "Authorization", Prefix: "Bearer "}
	if u := r.expect.Use; u != nil {
		want = *u
	}
	got := r.descriptor.Use
	if got == (descriptor.Use{}) {
		got = descriptor.Use{Header: "Authorization", Prefix: "Bearer "}
	}
	if got.Header == "" && got.Query == "" {
		got.Header = "Authorization"
	}
	if want.Beyond == "" && got != (descriptor.Use{Header: want.Header, Prefix: want.Prefix, Query: want.Query}) {
		r.add("use = %+v, want %q", got, r.Use)
	}
}

// checkRefusal compares what a refusal is taken for, where the vendor's
// document says it.
func (r *run) checkRefusal(ctx context.Context) {
	if !r.Refusal.stated() {
		return
	}
	r.server.refuse(r.Refusal.answer)
	request := r.tokenRequest()
	if r.Kind == "account" {
		request = provider.TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("REFRESH")}
	}
	_, err := r.endpoint().Exchange(ctx, request)
	failed, ok := errors.AsType[*provider.Error](err)
	if !ok {
		r.add("refusal: error = %v, want one", err)
		return
	}
	isFinal := failed.Kind == provider.Rejected && failed.Permanent
	means := map[string]bool{
		"bad client":   isFinal && failed.Client,
		"bad grant":    failed.RefusesGrant() || isFinal && request.Grant.IsDirect(),
		"rate limited": failed.Kind == provider.Unavailable,
		"temporary":    failed.Kind == provider.Unavailable,
	}
	for word, is := range means {
		if strings.HasPrefix(r.Refusal.Means, word) && !is {
			r.add("refusal: %v, want that it means %s", err, r.Refusal.Means)
		}
	}
}
