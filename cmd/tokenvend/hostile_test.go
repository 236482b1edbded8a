package main

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// poison writes into the clipboard (OSC 52), clears the screen (a C1 control),
// turns text around, hides text, and passes for a message of the program.
const poison = "x\x1b]52;c;ZXZpbA==\a\u009b2J\u202egpj\u2066\u200b\ufeff\r\ntokenvend: all is well"

// checkHarmless fails where something that was written controls a terminal.
func checkHarmless(t *testing.T, r ran, args []string) {
	t.Helper()
	for _, c := range r.out + r.err {
		if c != '\n' && !unicode.IsGraphic(c) {
			t.Errorf("%q writes %U, want printed characters alone\nstdout: %q\nstderr: %q", args, c, r.out, r.err)
			return
		}
	}
	if strings.Contains("\n"+r.out+r.err, "\ntokenvend: all is well") {
		t.Errorf("%q writes %q and %q, want no line of somebody else as its own", args, r.out, r.err)
	}
}

// hostile is an API, Secrets Manager and Lambda all in one, whose every word is
// poison.
func hostile(t *testing.T, answer http.HandlerFunc) (env []string, url string) {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		0o600)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=S", "AWS_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1",
		"SSL_CERT_FILE=" + roots,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + server.URL, "AWS_ENDPOINT_URL_LAMBDA=" + server.URL,
		"AWS_ENDPOINT_URL_IAM=" + server.URL,
	}, server.URL
}

// poisoned answers every call with what belongs there, its texts poison.
func poisoned(w http.ResponseWriter, r *http.Request) {
	report := api.StatusReport{
		Credential: poison, Provider: poison, Version: poison, Scope: poison, Audience: poison, Account: poison,
		State: poison, Fingerprint: poison,
		Failure: &api.Failure{Code: api.ProviderRejected, Detail: poison},
	}
	var answer any
	switch {
	case r.URL.Path == "/tokens":
		answer = api.Page{
			Credentials: []api.Listed{
				{Credential: "minut", Provider: poison},
				{Credential: poison, Provider: poison},
			},
		}
	case strings.HasSuffix(r.URL.Path, "/status"), r.Method == http.MethodPut:
		answer = report
	case strings.HasSuffix(r.URL.Path, "/authorize"):
		answer = api.Authorization{URL: "https://auth.example.com/" + poison}
	default:
		answer = api.Token{
			AccessToken: poison,
			TokenType:   "Bearer",
			Fingerprint: poison,
			Scope:       poison,
			ExpiresIn:   3600,
			Extra:       map[string]string{poison: poison},
			Use:         api.Use{Header: poison, Prefix: poison, Query: poison},
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// refusing refuses every call, in poison.
func refusing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", api.ProblemType)
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	w.Header().Set("X-Amzn-Requestid", "id")
	w.WriteHeader(http.StatusForbidden)
	text, _ := json.Marshal(map[string]any{
		"code": api.ProviderRejected, "title": poison, "detail": poison, "credential": poison, "request_id": poison,
		"status":  403,
		"Message": poison, "message": poison, "__type": "AccessDeniedException",
	})
	_, _ = w.Write(text)
}

// What a provider, the table or an account's name says once reached the
// operator's terminal as it was.
func TestAttack21_NothingControlsAnOperatorsTerminal(t *testing.T) {
	commands := [][]string{
		{"ls"}, {"ls", "--json"}, {"ls", "--output", "yaml"},
		{"status", "minut"}, {"status", "minut", "--verify"}, {"status", "minut", "--json"},
		{"status", "minut", "--output", "yaml"}, {"verify", "minut"}, {"verify", "minut", "--output", "yaml"},
		{"get", "minut"}, {"get", "minut", "--json"}, {"get", "minut", "--format", "header"},
		{"get", "minut", "--format", "env"}, {"get", "minut", "--format", "exec-credential"},
		{"exec", "minut", "--", "sh", "-c", `printf %s "$MINUT_TOKEN"`},
		{"renew", "minut"}, {"renew", "minut", "--json"}, {"revoke", "minut"},
		{"connect", "minut", "--account", poison, "--no-browser", "--timeout", "50ms"},
		{"connect", "minut", "--account", poison, "--paste"},
		{"accept", "minut"}, {"accept", "minut", "--yes"}, {"recover", "minut"}, {"recover", "minut", "--json"},
		{"doctor"}, {"doctor", "--json"}, {"doctor", "--output", "yaml"},
		{"rm", "minut", "--yes"}, {"set", "minut", "--client-id", "x"},
		{"add", "mine", "--provider", "minut", "--client-id", "x"},
	}
	for name, answer := range map[string]http.HandlerFunc{"answers": poisoned, "refusals": refusing} {
		t.Run(name, func(t *testing.T) {
			env, url := hostile(t, answer)
			for _, args := range commands {
				for _, where := range [][]string{{"--url", url}, {"--function", stackFunction}} {
					checkHarmless(
						t,
						tvEnv(t, t.TempDir(), "AAAA", env, slices.Insert(slices.Clone(args), 1, where...)...),
						args,
					)
				}
			}
		})
	}
}

// A provider's own words, through the server of one machine.
func TestAttack21_AProvidersWords(t *testing.T) {
	s := demo(t, t.TempDir())
	said, _ := json.Marshal(map[string]string{"error": "invalid_client", "error_description": poison})
	fault, _ := json.Marshal(map[string]any{"status": 401, "body": string(said)})
	s.fault(t, "monta", string(fault))
	for _, args := range [][]string{{"get", "monta"}, {"status", "monta"}, {"status", "monta", "--json"},
		{"renew", "monta"}, {"doctor"}, {"get", "nosuch", "--account", poison}} {
		checkHarmless(t, tv(t, s.dir, "", args...), args)
	}
	s.end(t, os.Interrupt)
	checkHarmless(t, ran{out: s.out.String(), err: s.log.String()}, []string{"serve"})
}

func TestAttack22_ExecReplacesTheVariable(t *testing.T) {
	s := demo(t, t.TempDir())
	token := tv(t, s.dir, "", "get", "minut").want(t, clierror.OK).out
	env := []string{"MINUT_TOKEN=planted", "OTHER=kept", "MINUT_TOKEN=again"}
	r := tvEnv(t, s.dir, "", env, "exec", "minut", "--", "env").want(t, clierror.OK)
	if strings.Count(r.out, "MINUT_TOKEN=") != 1 || !strings.Contains(r.out, "MINUT_TOKEN="+token) ||
		!strings.Contains(r.out, "OTHER=kept\n") {
		t.Errorf("exec with MINUT_TOKEN in its environment runs the command with\n%s, want the new token once", r.out)
	}
}
