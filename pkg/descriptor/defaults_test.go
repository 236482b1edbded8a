package descriptor_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
)

func TestLifetimes(t *testing.T) {
	d := mustParse(t, `{"response":{"default_lifetime":"90m","max_lifetime":"720h"}}`)
	if d.DefaultLifetime() != 90*time.Minute || d.MaxLifetime() != 720*time.Hour ||
		new(descriptor.Descriptor).DefaultLifetime() != 0 ||
		new(descriptor.Descriptor).MaxLifetime() != 24*time.Hour {
		t.Error("lifetimes differ")
	}
}

func TestOverlapIsUnknownUnlessSaid(t *testing.T) {
	d := mustParse(t, `{"overlap":{"refresh_token":"revokes"}}`)
	if d.Overlap(descriptor.RefreshToken) != descriptor.OverlapRevokes ||
		d.Overlap(descriptor.ClientCredentials) != descriptor.OverlapUnknown {
		t.Errorf(
			"overlap differs, want d.Overlap(descriptor.RefreshToken) = %v and d.Overlap(descriptor.ClientCredentials) = %v",
			descriptor.OverlapRevokes,
			descriptor.OverlapUnknown,
		)
	}
	if new(descriptor.Descriptor).Overlap(descriptor.ClientCredentials) != descriptor.OverlapUnknown ||
		new(descriptor.Descriptor).Reuse() != descriptor.ReuseUnknown ||
		!new(descriptor.Descriptor).SingleUse() {
		t.Errorf(
			"the zero descriptor is not the careful one, want new(descriptor.Descriptor).Overlap(descriptor.ClientCredentials) = %v and new(descriptor.Descriptor).Reuse() = %v and new(descriptor.Descriptor).SingleUse()",
			descriptor.OverlapUnknown,
			descriptor.ReuseUnknown,
		)
	}
}

func mustParse(t *testing.T, text string) *descriptor.Descriptor {
	t.Helper()
	d, err := parser.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d
}

// What older descriptors say in token is the same as an assertion.
func TestSignedByReadsTheOlderForm(t *testing.T) {
	older := mustParse(t, `{"token":{"auth":"private_key_jwt","algorithm":"PS256","assertion_audience":"https://a.test"}}`)
	newer := mustParse(t, `{"token":{"auth":"private_key_jwt"},
		"assertion":{"algorithm":"PS256","claims":{"aud":"https://a.test"}}}`)
	if got, want := older.SignedBy(), newer.SignedBy(); !reflect.DeepEqual(got, want) {
		t.Errorf("SignedBy() = %+v, want %+v", got, want)
	}
}
