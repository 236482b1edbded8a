package secretsmanager_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
)

// asked returns each method's error.
func asked(ctx context.Context, s *secretsmanager.Source) map[string]error {
	_, read := s.Read(ctx, "minut", credential.Current)
	all, list := s.List(ctx)
	absent, errAbsent := s.Absent(ctx, "minut")
	if list != nil && all != nil || errAbsent != nil && absent {
		read = errors.New("an answer beside an error")
	}
	return map[string]error{"GetSecretValue": read, "ListSecrets": list, "DescribeSecret": errAbsent}
}

func TestFault48_WhatSecretsManagerRefuses(t *testing.T) {
	for code, status := range map[string]int{
		"AccessDeniedException": 400, "ThrottlingException": 400, "DecryptionFailure": 400, "InternalServiceError": 500,
		"InvalidParameterException": 400,
		"ExpiredTokenException":     400, "UnrecognizedClientException": 400, "InvalidNextTokenException": 400,
		"InvalidRequestException": 400, "ServiceUnavailable": 503,
	} {
		for operation, err := range asked(
			t.Context(),
			answering(t, status, fmt.Sprintf(`{"__type":%q,"message":"managed by another service"}`, code)),
		) {
			said, refused := errors.AsType[smithy.APIError](err)
			if !errors.Is(err, credential.ErrUnavailable) || !refused || said.ErrorCode() != code ||
				!strings.Contains(err.Error(), operation) || !strings.Contains(err.Error(), code) {
				t.Errorf("%s, %s: %v", operation, code, err)
			}
		}
	}
}

// The messages are those of Secrets Manager, current and earlier.
func TestMarkedForDeletion(t *testing.T) {
	for _, message := range []string{
		"You can't perform this operation on the secret because it was marked for deletion.",
		"You can’t perform this operation on the secret because it was marked for deletion.",
		"You tried to perform the operation on a secret that's currently marked deleted.",
	} {
		body, _ := json.Marshal(map[string]string{"__type": "InvalidRequestException", "message": message})
		if _, err := answering(t, 400, string(body)).Read(
			t.Context(), "minut", credential.Current,
		); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("%q: %v, want ErrUnknown", message, err)
		}
	}
}

func TestFault48_OutOfReach(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for operation, err := range asked(t.Context(), at(gone.URL)) {
		if !errors.Is(err, credential.ErrUnavailable) || !strings.Contains(err.Error(), operation) ||
			!strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

func TestFault48_TooSlow(t *testing.T) {
	for what, begins := range map[string]bool{"no answer": false, "half an answer": true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client is gone
			if begins {
				_, _ = w.Write([]byte(`{"Name":"`))
				_ = http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		}))
		for _, ask := range []string{"GetSecretValue", "ListSecrets", "DescribeSecret"} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			var err error
			switch ask {
			case "GetSecretValue":
				_, err = at(server.URL).Read(ctx, "minut", credential.Current)
			case "ListSecrets":
				_, err = at(server.URL).List(ctx)
			default:
				_, err = at(server.URL).Absent(ctx, "minut")
			}
			cancel()
			if !errors.Is(err, credential.ErrUnavailable) || !begins && !errors.Is(err, context.DeadlineExceeded) ||
				!strings.Contains(err.Error(), ask) {
				t.Errorf("%s, %s: %v", what, ask, err)
			}
		}
		server.Close()
	}
}

// The SDK quotes a response that it cannot parse.
func TestFault50_NoErrorQuotesAnAnswer(t *testing.T) {
	const canary = "canary-1f0c9e"
	for _, body := range []string{
		canary, `{"SecretString":"` + canary, `{"SecretString":"` + canary + `\x"}`,
		`{"SecretString":"` + canary + `\ud800` + "\x80" + `"}`, "{\"SecretString\":\"" + canary + "\n\"}",
		`{"SecretString":{"a":"` + canary + `"}}`, `{"SecretString":["` + canary + `"]}`,
		`{"SecretBinary":"` + canary + `%"}`, `{"VersionStages":"` + canary + `"}`, `{"CreatedDate":"` + canary + `"}`,
		`["` + canary + `"]`, `{"Name":7,"DeletedDate":"` + canary + `","SecretList":"` + canary + `"}`,
		`{"SecretString":"{\"client_secret\":\"` + canary + `"}`,
	} {
		for operation, err := range asked(t.Context(), answering(t, 200, body)) {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
				t.Errorf("%s, %q: %v", operation, body, err)
			}
		}
	}
}
