package kms_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

func TestFault55_WhatKMSRefuses(t *testing.T) {
	sealed, _ := hex.DecodeString(golden)
	for code, want := range map[string]error{
		"InvalidCiphertextException": seal.ErrIntegrity,
		"IncorrectKeyException":      seal.ErrIntegrity,

		"AccessDeniedException":      seal.ErrUnavailable,
		"DisabledException":          seal.ErrUnavailable,
		"KMSInvalidStateException":   seal.ErrUnavailable, // pending deletion
		"NotFoundException":          seal.ErrUnavailable,
		"KeyUnavailableException":    seal.ErrUnavailable,
		"DependencyTimeoutException": seal.ErrUnavailable,
		"KMSInternalException":       seal.ErrUnavailable,
		"ThrottlingException":        seal.ErrUnavailable,
		"ExpiredTokenException":      seal.ErrUnavailable,
		"InvalidKeyUsageException":   seal.ErrUnavailable,
		"InvalidGrantTokenException": seal.ErrUnavailable,
		"ServiceUnavailable":         seal.ErrUnavailable,
	} {
		s := answering(t, 400, fmt.Sprintf(`{"__type":%q,"message":"no"}`, code))
		_, err := s.Open(t.Context(), "minut", sealed, additional)
		said, named := errors.AsType[smithy.APIError](err)
		if !errors.Is(err, want) || errors.Is(err, seal.ErrIntegrity) != (want == seal.ErrIntegrity) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
		if want == seal.ErrUnavailable &&
			(!named || said.ErrorCode() != code || !strings.Contains(err.Error(), "Decrypt") ||
				!strings.Contains(err.Error(), code)) {
			t.Errorf("%s: %v", code, err)
		}
		if _, err := s.Seal(t.Context(), "minut", nil, nil); !errors.Is(err, seal.ErrUnavailable) ||
			!strings.Contains(err.Error(), "GenerateDataKey") || !strings.Contains(err.Error(), code) {
			t.Errorf("%s, in answer to GenerateDataKey: %v", code, err)
		}
	}
}

func TestAnswersWithoutAKey(t *testing.T) {
	sealed, _ := hex.DecodeString(golden)
	for _, body := range []string{
		`{}`, `{"Plaintext":"AAAA","CiphertextBlob":"AAAA"}`, `{"CiphertextBlob":"AAAA"}`, "", "<html>",
		`{"Plaintext":7}`,
		fmt.Sprintf(
			`{"Plaintext":%q,"CiphertextBlob":%q}`, base64.StdEncoding.EncodeToString(make([]byte, 16)),
			base64.StdEncoding.EncodeToString(make([]byte, 1<<16)),
		),
	} {
		s := answering(t, 200, body)
		fails(t, s, "minut", sealed, seal.ErrUnavailable)
		if _, err := s.Seal(t.Context(), "minut", nil, nil); !errors.Is(err, seal.ErrUnavailable) {
			t.Errorf("%.40q: %v", body, err)
		}
	}
}

// The SDK quotes a response that it cannot parse.
func TestFault50_NoErrorQuotesAnAnswer(t *testing.T) {
	const canary = "canary-1f0c9e"
	sealed, _ := hex.DecodeString(golden)
	for _, body := range []string{
		canary,
		`{"Plaintext":"` + canary,
		`{"Plaintext":"` + canary + `\x"}`,
		`{"Plaintext":{"a":"` + canary + `"}}`,
		`{"Plaintext":"` + canary + `"}`,
		`{"Plaintext":7,"KeyId":"` + canary + `"}`,
		`{"KeyId":["` + canary + `"]}`,
		`{"Plaintext":["` + canary + `"]}`,
		`["` + canary + `"]`,
		`{"KeyOrigin":{"` + canary + `":1}}`,
		`{"CiphertextForRecipient":"` + canary + `"}`,
	} {
		s := answering(t, 200, body)
		_, errOpen := s.Open(t.Context(), "minut", sealed, additional)
		_, errSeal := s.Seal(t.Context(), "minut", []byte(canary), additional)
		for _, err := range []error{errOpen, errSeal} {
			if !errors.Is(err, seal.ErrUnavailable) ||
				strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
				t.Errorf("%q: %v", body, err)
			}
		}
	}
}

func TestFault50_DataKeysAreNotPrinted(t *testing.T) {
	s := newStack(t)
	one := s.process()
	mustSeal(t, one, "minut", "token")
	var answer struct{ Plaintext []byte }
	if err := json.Unmarshal(s.calls.answers[len(s.calls.answers)-1], &answer); err != nil ||
		len(answer.Plaintext) != 32 {
		t.Fatalf("no data key was seen: %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		for _, v := range []any{one, struct{ s any }{one}} {
			out := fmt.Sprintf(verb, v)
			for _, leak := range []string{
				hex.EncodeToString(answer.Plaintext[:6]), fmt.Sprint(answer.Plaintext[:6])[1:12],
				string(answer.Plaintext[:6]),
			} {
				if strings.Contains(out, leak) {
					t.Errorf("%s shows the key", verb)
				}
			}
		}
	}
}
