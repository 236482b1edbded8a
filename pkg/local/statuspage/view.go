package statuspage

import (
	"bytes"
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/operate"
)

// message is a page with one text and a command to run.
type message struct {
	Style                template.CSS
	Title, Text, Command string
}

// tokenPage is the page of all tokens.
type tokenPage struct {
	Style  template.CSS
	Choice choice
	Counts []count
	Rows   []tokenRow
	All    int // tokens, whatever was chosen
	Events []Event
	Now    time.Time
}

// count is how many tokens are in a state.
type count struct {
	State api.State
	Tone  string
	N     int
}

// tokenRow is one token on the page.
type tokenRow struct {
	Name, Account, Variant, Provider string
	State                            api.State
	Tone, Meaning                    string
	Expires, Renews                  string
	Left                             int // of the token's life, in percent
	HasLife                          bool
	Failure, Since, Advice, Warning  string
}

// states are the states in the order of the page: what needs an operator comes
// first.
var states = []struct {
	state         api.State
	tone, meaning string
}{
	{api.Reauthorize, "bad", "the account has to be connected again"},
	{api.DestinationChanged, "bad", "the secret names other endpoints than those of the grant"},
	{api.Failing, "bad", "no living token, and the last attempt failed"},
	{api.Gone, "bad", "its secret was removed"},
	{api.Stale, "fair", "past its time to renew"},
	{api.Revoking, "fair", "not yet revoked at the provider"},
	{api.Fresh, "good", "a living token"},
	{api.Idle, "plain", "renewed with the next request"},
	{api.None, "plain", "obtained with the first request"},
}

func rank(s api.State) int {
	for i, one := range states {
		if one.state == s {
			return i
		}
	}
	return len(states)
}

func (p *page) tokens(all []operate.Status, c choice, now time.Time) tokenPage {
	v := tokenPage{Style: style, Choice: c, All: len(all), Now: now.UTC()}
	if p.Events != nil {
		v.Events = p.Events.newest()
	}
	counts := map[api.State]int{}
	for _, s := range all {
		counts[s.State]++
		if row := p.row(s, now); c.admits(row) {
			v.Rows = append(v.Rows, row)
		}
	}
	for _, one := range states {
		if n := counts[one.state]; n > 0 || one.state == api.State(c.State) {
			v.Counts = append(v.Counts, count{one.state, one.tone, n})
		}
	}
	if c.Sort != "name" {
		slices.SortStableFunc(v.Rows, func(a, b tokenRow) int { return cmp.Compare(rank(a.State), rank(b.State)) })
	}
	return v
}

// admits reports whether a row was asked for.
func (c choice) admits(r tokenRow) bool {
	if c.State != "" && string(r.State) != c.State {
		return false
	}
	text := strings.ToLower(strings.TrimSpace(c.Text))
	return text == "" || strings.Contains(strings.ToLower(r.Name+" "+r.Account+" "+r.Provider), text)
}

func (p *page) row(s operate.Status, now time.Time) tokenRow {
	variant, e := s.Entry.Key.Variant, s.Entry
	r := tokenRow{
		Name: e.Key.Credential, Account: variant.Account, Provider: s.Provider, State: s.State,
		Variant: strings.Join(slices.DeleteFunc([]string{variant.Audience, variant.Scope},
			func(s string) bool { return s == "" }), " "),
		Expires: relative(e.ExpiresAt, now), Renews: relative(e.NextAt, now), Warning: s.Warning,
	}
	if i := rank(s.State); i < len(states) {
		r.Tone, r.Meaning = states[i].tone, states[i].meaning
	}
	if life := e.ExpiresAt.Sub(e.IssuedAt); e.IssuedAt.Before(e.ExpiresAt) && !e.IssuedAt.IsZero() {
		r.HasLife = true
		r.Left = int(max(0, min(100, 100*e.ExpiresAt.Sub(now)/life)))
	}
	if f := s.Failure; !f.IsZero() {
		r.Failure, r.Since = api.Code(f.Code).Title()+": "+f.Detail, relative(f.Since, now)
	}
	if r.Warning == "" && s.Quota != nil && s.Quota.IsNearlyUsedUp() {
		r.Warning = "the provider's quota of token requests is nearly used up: " + s.Quota.String()
	}
	if p.Advice != nil {
		r.Advice = p.Advice(s)
	}
	return r
}

// relative returns how far a time is from now; "" for the zero time.
func relative(t, now time.Time) string {
	left := t.Sub(now).Truncate(time.Second)
	switch {
	case t.IsZero():
		return ""
	case left > 0:
		return "in " + short(left)
	}
	return short(-left) + " ago"
}

// short returns a duration in its two largest units.
func short(d time.Duration) string {
	if d >= 48*time.Hour {
		d = d.Truncate(time.Hour)
	} else if d >= time.Hour {
		d = d.Truncate(time.Minute)
	}
	text := d.String()
	if d >= time.Minute && d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d >= time.Hour && d%time.Hour == 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// write writes a page.
func (p *page) write(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the browser has left
}
