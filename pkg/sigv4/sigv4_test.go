package sigv4_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/sigv4"
)

const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

var now = time.Date(2026, 11, 27, 23, 59, 59, 0, time.UTC)

// signed returns a request without a body that the SDK has signed.
func signed(t testing.TB, id, secret string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/tokens/minut?scope=a%20b", http.NoBody)
	keys := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, emptySum, "execute-api", "us-east-1", now); err != nil {
		t.Fatal(err)
	}
	return r
}

func newVerifier() *sigv4.Verifier {
	return sigv4.NewVerifier("us-east-1", map[string]redact.String{
		"ann": redact.New("secret-of-ann"), "bob": redact.New("secret-of-bob"),
	})
}

// verify returns what a verifier says of a request without a body at a time.
func verify(r *http.Request, at time.Time) (string, error) {
	v := newVerifier()
	claim, err := v.Claim(r, at)
	if err != nil {
		return "", err
	}
	return v.Verify(claim, r, sigv4.Body{SHA256: emptySum})
}

func TestVerify(t *testing.T) {
	for name, tt := range map[string]struct {
		id, secret string
		after      time.Duration
		change     func(*http.Request)
		refused    string // part of the error; "": none
	}{
		"ann":          {id: "ann", secret: "secret-of-ann"},
		"bob":          {id: "bob", secret: "secret-of-bob"},
		"just in time": {id: "ann", secret: "secret-of-ann", after: sigv4.MaxSkew},
		"late": {id: "ann", secret: "secret-of-ann", after: sigv4.MaxSkew + time.Second,
			refused: "five minutes"},
		"early": {id: "ann", secret: "secret-of-ann", after: -sigv4.MaxSkew - time.Second,
			refused: "five minutes"},
		"another secret": {id: "ann", secret: "secret-of-bob", refused: "does not match"},
		"unknown":        {id: "eve", secret: "secret-of-ann", refused: "not known"},
		"another path": {
			id: "ann", secret: "secret-of-ann", refused: "does not match",
			change: func(r *http.Request) { r.RequestURI = "/tokens/monta?scope=a%20b" },
		},
		"another method": {
			id: "ann", secret: "secret-of-ann", refused: "does not match",
			change: func(r *http.Request) { r.Method = http.MethodDelete },
		},
		"unsigned": {
			id: "ann", secret: "secret-of-ann", refused: "not signed",
			change: func(r *http.Request) { r.Header.Del("Authorization") },
		},
		"another region": {
			id: "ann", secret: "secret-of-ann", refused: "expected us-east-1/execute-api",
			change: func(r *http.Request) {
				signed := r.Header.Get("Authorization")
				r.Header.Set("Authorization", strings.Replace(signed, "us-east-1", "eu-west-1", 1))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := signed(t, tt.id, tt.secret)
			if tt.change != nil {
				tt.change(r)
			}
			id, err := verify(r, now.Add(tt.after))
			if tt.refused == "" && (err != nil || id != tt.id) {
				t.Errorf("Verify() = %q, %v, want %q", id, err, tt.id)
			}
			if tt.refused != "" && (err == nil || id != "" || !strings.Contains(err.Error(), tt.refused)) {
				t.Errorf("Verify() = %q, %v, want an error with %q", id, err, tt.refused)
			}
			if err != nil && (strings.Contains(err.Error(), "/tokens") || strings.Contains(err.Error(), tt.secret)) {
				t.Errorf("Verify() = %v, want an error that shows nothing of the request", err)
			}
		})
	}
}

// The signing keys change with the day.
func TestVerifyOnTwoDays(t *testing.T) {
	v := newVerifier()
	for _, day := range []int{0, 1, 0} {
		at := now.AddDate(0, 0, day)
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		keys := aws.Credentials{AccessKeyID: "ann", SecretAccessKey: "secret-of-ann"}
		if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, emptySum, "execute-api", "us-east-1", at); err != nil {
			t.Fatal(err)
		}
		claim, err := v.Claim(r, at)
		if err != nil {
			t.Fatalf("Claim() on %s = %v, want nil", at, err)
		}
		if id, err := v.Verify(claim, r, sigv4.Body{SHA256: emptySum}); id != "ann" || err != nil {
			t.Errorf("Verify() on %s = %q, %v, want ann", at, id, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	v, r := newVerifier(), signed(b, "ann", "secret-of-ann")
	b.ReportAllocs()
	for b.Loop() {
		claim, err := v.Claim(r, now)
		if err == nil {
			_, err = v.Verify(claim, r, sigv4.Body{SHA256: emptySum})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
