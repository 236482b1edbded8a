package local

import (
	"regexp"
	"strings"
	"testing"
)

// authorizationForm is the header, said once more.
var authorizationForm = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9_.-]{1,128})/([0-9]{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request, ?SignedHeaders=([a-z0-9_.;-]{1,1000}), ?Signature=([0-9a-f]{64})$`)

func FuzzAuthorization(f *testing.F) {
	good := "AWS4-HMAC-SHA256 Credential=local/20260131/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0a", 32)
	f.Add(good)
	f.Add(strings.ReplaceAll(good, ", ", ","))
	for _, part := range []string{"AWS4-", "local", "/", "2026", "us-east-1", "aws4_request", ", ", "SignedHeaders", "host", ";", "Signature=", "0a"} {
		f.Add(strings.Replace(good, part, "", 1))
		f.Add(strings.Replace(good, part, part+part, 1))
		f.Add(strings.Replace(good, part, part+",", 1))
		f.Add(strings.Replace(good, part, part+" é\n", 1))
	}
	f.Fuzz(func(t *testing.T, value string) {
		want := authorizationForm.FindStringSubmatch(value)
		a, ok := authorizationOf(value)
		if ok != (want != nil) {
			t.Fatalf("%q is understood: %t", value, ok)
		}
		if got := []string{a.keyID, a.day, a.region, a.service, a.headers, a.signature}; ok && strings.Join(got, " ") != strings.Join(want[1:], " ") {
			t.Errorf("%q reads %q, want %q", value, got, want[1:])
		}
	})
}
