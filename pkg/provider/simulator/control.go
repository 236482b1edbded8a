package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Control returns an API over plain HTTP for developers. GET / describes it. It
// authenticates nobody: serve it on loopback only.
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.help)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { show(w, http.StatusOK, s.Stats()) })
	mux.HandleFunc(
		"DELETE /stats",
		func(w http.ResponseWriter, _ *http.Request) { s.Reset(); show(w, http.StatusOK, s.Stats()) },
	)
	mux.HandleFunc("PUT /fault", s.putFault)
	mux.HandleFunc("DELETE /fault", s.deleteFault)
	mux.HandleFunc("GET /providers/{provider}/fault", s.getFault)
	mux.HandleFunc("PUT /providers/{provider}/fault", s.putFault)
	mux.HandleFunc("DELETE /providers/{provider}/fault", s.deleteFault)
	mux.HandleFunc("POST /providers/{provider}/revoke-tokens", s.revokeTokens)
	mux.HandleFunc("GET /providers/{provider}/authorize", s.authorizeHere)
	mux.HandleFunc("POST /providers/{provider}/authorize", s.authorizeHere)
	return mux
}

const help = `Five pretended providers: PROVIDERS.

What they have been asked, and the counts back to nothing:
  curl BASE/stats
  curl -X DELETE BASE/stats

Misbehave, one provider or all of them; look; behave again:
  curl -X PUT BASE/providers/minut/fault -d '{"status":503,"times":3}'
  curl -X PUT BASE/providers/monta/fault -d '{"status":429,"header":{"RateLimit-ResetsIn":"30"}}'
  curl -X PUT BASE/providers/movemint/fault -d '{"delay":"8s"}'
  curl -X PUT BASE/fault -d '{"down":true}'
  curl BASE/providers/minut/fault
  curl -X DELETE BASE/providers/minut/fault
  curl -X DELETE BASE/fault

Kill every access token a provider has issued; with ?refresh=true its refresh tokens too:
  curl -X POST BASE/providers/minut/revoke-tokens

Give a person's consent, in a browser: the provider's own authorize page, with its own parameters, where no name and no certificate is in the way:
  BASE/providers/movemint/authorize?response_type=code&client_id=demo-movemint&redirect_uri=http://127.0.0.1:8080/&scope=&state=x
  BASE/providers/trackmania/authorize?response_type=code&client_id=demo-trackmania&redirect_uri=http://127.0.0.1:8080/&scope=&state=x

A fault's fields, which may be combined:
  times        how many requests it applies to; left out: until it is changed
  only         token, refresh, code, authorize, verify or revoke: requests of that kind only
  status, body, content_type, html, redirect, header, retry_after "30s", retry_date true
               answer so, in the provider's place
  drop, down   close the connection, refuse it
  late         the provider does its work first, and only the answer is lost
  delay, drip  "2s" before the answer, "10ms" before each byte of it
  cut, pad     cut the body short, put this many spaces before it
  expiry       raw JSON for when the token ends: "null", "0", "\"3600\"", "3.6e3", "-1"; "omit"
  set          raw JSON for other fields: {"token_type":"\"mac\"","refresh_token":"omit"}
  same         the same token again, until it ends
  overlap      "revokes": a new token kills the one before
  reuse        tolerated, refused, revokes_family: a refresh token that was used already
  skew         "10m", "-10m": the provider's clock is wrong
`

func (s *Simulator) help(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	text := strings.NewReplacer("BASE", "http://"+r.Host, "PROVIDERS", strings.Join(s.Providers(), ", ")).Replace(help)
	_, _ = io.WriteString(w, text) // #nosec G705 -- plain text, for people on this machine
}

// targets returns the provider of the path, or all providers where it names
// none.
func (s *Simulator) targets(r *http.Request) ([]string, error) {
	name := r.PathValue("provider")
	if name == "" {
		return s.Providers(), nil
	}
	_, err := s.provider(name)
	return []string{name}, err
}

func (s *Simulator) getFault(w http.ResponseWriter, r *http.Request) {
	names, err := s.targets(r)
	if err != nil {
		fail(w, err)
		return
	}
	show(w, http.StatusOK, s.Fault(names[0]))
}

func (s *Simulator) putFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	if err := d.Decode(&f); err != nil {
		fail(w, fmt.Errorf("%w; GET / lists the fields", err))
		return
	}
	if d.More() {
		fail(w, errors.New("there is something after the JSON object"))
		return
	}
	s.apply(w, r, f)
}

func (s *Simulator) deleteFault(w http.ResponseWriter, r *http.Request) { s.apply(w, r, Fault{}) }

func (s *Simulator) apply(w http.ResponseWriter, r *http.Request, f Fault) {
	names, err := s.targets(r)
	for _, name := range names {
		if err == nil {
			err = s.SetFault(name, f)
		}
	}
	if err != nil {
		fail(w, err)
		return
	}
	show(w, http.StatusOK, f)
}

func (s *Simulator) revokeTokens(w http.ResponseWriter, r *http.Request) {
	n, err := s.RevokeTokens(r.PathValue("provider"), r.URL.Query().Get("refresh") == "true")
	if err != nil {
		fail(w, err)
		return
	}
	show(w, http.StatusOK, map[string]int{"revoked": n})
}

// authorizeHere serves the provider's authorize page at a second URL. It serves
// no other page.
func (s *Simulator) authorizeHere(w http.ResponseWriter, r *http.Request) {
	p, err := s.provider(r.PathValue("provider"))
	if err != nil {
		fail(w, err)
		return
	}
	if p.authorize == "" {
		fail(w, fmt.Errorf("%w: %s has none", errNoPage, p.name))
		return
	}
	s.write(w, r, p, p.authorize)
}

var errNoPage = errors.New("simulator: no authorize page")

func fail(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, ErrUnknownProvider) || errors.Is(err, errNoPage) {
		status = http.StatusNotFound
	}
	show(w, status, map[string]string{"error": err.Error()})
}

func show(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client is gone
}
