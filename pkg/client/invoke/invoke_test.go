package invoke_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
)

const hidden = "s3cret-of-the-payload"

// lambda is Lambda's Invoke in front of a fake tokenvend.
type lambda struct {
	fake    clienttest.Server
	paths   []string
	signed  string
	failing http.HandlerFunc // nil: the fake answers
}

func (l *lambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.paths, l.signed = append(l.paths, r.URL.RequestURI()), r.Header.Get("Authorization")
	w.Header().Set("X-Amzn-Requestid", "lambda-1")
	if l.failing != nil {
		l.failing(w, r)
		return
	}
	payload, _ := io.ReadAll(r.Body)
	asked, err := api.DecodeRequest(payload)
	var answer []byte
	if err == nil {
		answer, err = l.fake.Send(r.Context(), asked)
	}
	if err != nil {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		problem, _ := json.Marshal(err)
		answer, _ = json.Marshal(map[string]string{"errorType": "x", "errorMessage": string(problem)})
	}
	_, _ = w.Write(answer)
}

// start serves l, and returns the configuration that leads there.
func start(t *testing.T, l *lambda) aws.Config {
	t.Helper()
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	return aws.Config{
		Region: "eu-north-1", BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 2,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
		}),
	}
}

func TestInvocations(t *testing.T) {
	for name, c := range map[string]struct {
		function string
		options  []invoke.Option
		path     string
		region   string
	}{
		"name and alias": {"tokenvend:c-minut", nil, "/2015-03-31/functions/tokenvend%3Ac-minut/invocations",
			"eu-north-1"},
		"qualifier": {"tokenvend", []invoke.Option{invoke.Qualifier("admin"), {}},
			"/2015-03-31/functions/tokenvend/invocations?Qualifier=admin", "eu-north-1"},
		"ARN of its region": {"arn:aws:lambda:eu-west-3:123456789012:function:tokenvend:admin", nil,
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-3%3A123456789012%3Afunction%3Atokenvend%3Aadmin/invocations", "eu-west-3"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lambda{}
			token, err := client.New(invoke.New(start(t, l), c.function, c.options...)).
				Source("minut", client.Scope("read")).
				Token(t.Context())
			if err != nil || token.Reveal() != "token-1" || token.Scope != "read" {
				t.Errorf("Token() = %v, %v; want token-1 for read", token, err)
			}
			if len(l.paths) != 1 || l.paths[0] != c.path || !strings.Contains(l.signed, "/"+c.region+"/lambda/") {
				t.Errorf("invoked %q signed for %q, want %q in %s", l.paths, l.signed, c.path, c.region)
			}
		})
	}
}

func TestProblemsAreErrors(t *testing.T) {
	l := &lambda{}
	l.fake.Fail(&api.Error{Code: api.ProviderRejected, Detail: "invalid_client", RequestID: "r-1"})
	_, err := client.New(invoke.New(start(t, l), "tokenvend")).Source("minut").Token(t.Context())
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != api.ProviderRejected || e.RequestID != "r-1" {
		t.Errorf("Token() = %v, want provider_rejected of r-1", err)
	}
}

func TestInvocationsWithoutAnAnswer(t *testing.T) {
	failed := func(kind string, status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if kind != "" {
				w.Header().Set("X-Amzn-Errortype", kind)
			}
			if status == http.StatusOK {
				w.Header().Set("X-Amz-Function-Error", "Unhandled")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for want, failing := range map[string]http.HandlerFunc{
		"(HTTP status 403, \"AccessDeniedException\")": failed("AccessDeniedException", 403,
			`{"Message":"`+hidden+`"}`),
		"nothing is at that URL, or of that name (HTTP status 404": failed("ResourceNotFoundException", 404,
			`{"Message":"`+hidden+`"}`),
		"(HTTP status 502, \"InvalidRuntimeException\")": failed("InvalidRuntimeException", 502,
			`{"Message":"`+hidden+`"}`),
		"ended without an answer (it ran out of time); its log": failed("", 200,
			`{"errorMessage":"1 Task timed out after 29.00 seconds `+hidden+`"}`),
		"ended without an answer (Runtime.ExitError); its log": failed("", 200,
			`{"errorType":"Runtime.ExitError","errorMessage":"`+hidden+`"}`),
		"the function tokenvend ended without an answer; its log t": failed("", 200, hidden),
	} {
		t.Run(want, func(t *testing.T) {
			l := &lambda{failing: failing}
			_, err := client.New(invoke.New(start(t, l), "tokenvend")).Source("minut").Token(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), hidden) {
				t.Errorf("Token() = %v, want %q in it", err, want)
			}
			g, isGateway := errors.AsType[*client.GatewayError](err)
			f, isFunction := errors.AsType[*invoke.FunctionError](err)
			if !(isGateway && g.RequestID == "lambda-1" && g.Err != nil) && !(isFunction && f.RequestID == "lambda-1") {
				t.Errorf("Token() = %#v, want the invocation's request id in it", err)
			}
		})
	}
}

// A code is of one use, so what brings it is invoked once; anything else is
// tried again by the SDK.
func TestAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		call func(*client.Admin) error
		want int
	}{
		"connect": {func(a *client.Admin) error {
			_, err := a.Connect(t.Context(), "x", client.Grant{Code: "c"})
			return err
		}, 1},
		"recover": {func(a *client.Admin) error { _, err := a.Recover(t.Context(), "x", "blob"); return err }, 1},
		"status":  {func(a *client.Admin) error { _, err := a.Status(t.Context(), "x"); return err }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lambda{
				failing: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
			}
			if err := c.call(client.NewAdmin(invoke.New(start(t, l), "tokenvend"))); err == nil ||
				len(l.paths) != c.want {
				t.Errorf("%s = %v after %d invocations, want an error after %d", name, err, len(l.paths), c.want)
			}
		})
	}
}
