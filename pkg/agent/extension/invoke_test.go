package extension

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
)

var config = aws.Config{
	Region: "eu-north-1",
	Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
	}),
}

func TestInvokerURL(t *testing.T) {
	for function, want := range map[string]string{
		"vend":         "https://lambda.eu-north-1.amazonaws.com/2015-03-31/functions/vend/invocations",
		"vend:c-minut": "https://lambda.eu-north-1.amazonaws.com/2015-03-31/functions/vend/invocations?Qualifier=c-minut",
		"arn:aws:lambda:us-east-1:123456789012:function:vend:c-minut": "https://lambda.us-east-1.amazonaws.com" +
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Avend/invocations" +
			"?Qualifier=c-minut",
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:vend": "https://lambda.cn-north-1.amazonaws.com.cn" +
			"/2015-03-31/functions/arn%3Aaws-cn%3Alambda%3Acn-north-1%3A123456789012%3Afunction%3Avend/invocations",
		"123456789012:function:vend:c-minut": "https://lambda.eu-north-1.amazonaws.com" +
			"/2015-03-31/functions/123456789012%3Afunction%3Avend/invocations?Qualifier=c-minut",
	} {
		t.Run(function, func(t *testing.T) {
			if got := newInvoker(function, "", config, nil).url; got != want {
				t.Errorf("newInvoker(%s).url = %s, want %s", function, got, want)
			}
		})
	}
}

// lambda answers as Lambda's Invoke, by a fake tokenvend.
func lambda(t *testing.T, fake *clienttest.Server, more http.HandlerFunc) *invoker {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-north-1/lambda/aws4_request") {
			t.Errorf("Authorization = %s, want a signature for Lambda", r.Header.Get("Authorization"))
		}
		if more != nil {
			more(w, r)
			return
		}
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked, err := api.DecodeRequest(payload)
		if err != nil {
			t.Errorf("the payload = %s, want a request: %v", payload, err)
		}
		answer, err := fake.Send(r.Context(), asked)
		if err != nil {
			problem, _ := json.Marshal(err)
			answer, _ = json.Marshal(map[string]string{"errorType": "x", "errorMessage": string(problem)})
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	return newInvoker("vend:c-minut", s.URL, config, s.Client())
}

func TestInvokerCarriesTokensAndRefusals(t *testing.T) {
	fake := &clienttest.Server{}
	source := client.New(lambda(t, fake, nil)).Source("minut")
	if got, err := source.Token(t.Context()); err != nil || got.Reveal() != "token-1" {
		t.Errorf("Token() = %v, %v, want token-1", got, err)
	}
	fake.Fail(&api.Error{Code: api.AccessDenied, Detail: "not for this caller"})
	_, err := source.Reject(t.Context(), "0000000000000001")
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != api.AccessDenied {
		t.Errorf("Reject() = %v, want access_denied", err)
	}
}

func TestInvokerReportsLambdasErrors(t *testing.T) {
	const hidden = "s3cret-of-the-payload"
	i := lambda(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, hidden)
	})
	_, err := i.Send(t.Context(), api.Request{Credential: "minut"})
	if e, ok := errors.AsType[*client.GatewayError](err); !ok || e.Status != 403 || e.Kind != "AccessDeniedException" {
		t.Errorf("Send() = %v, want the gateway's error", err)
	}
	i = lambda(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = io.WriteString(w, `{"errorMessage":"`+hidden+`"}`)
	})
	_, failed := i.Send(t.Context(), api.Request{Credential: "minut"})
	if failed == nil || strings.Contains(failed.Error()+err.Error(), hidden) {
		t.Errorf("Send() = %v and %v, want errors without what the answer says", err, failed)
	}
}

// A redirect would take X-Amz-Security-Token along, which net/http leaves in a
// request to another host.
func TestInvokerFollowsNoRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host is sent %s %s, want nothing", r.Method, r.URL)
	}))
	defer other.Close()
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	_, err := newInvoker("vend", s.URL, config, newWebClient()).Send(t.Context(), api.Request{Credential: "minut"})
	if e, ok := errors.AsType[*client.GatewayError](err); !ok || e.Status != http.StatusTemporaryRedirect {
		t.Errorf("Send() = %v, want an error of the status 307", err)
	}
}
