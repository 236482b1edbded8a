// Package sealtest is the contract of [seal.Sealer] as tests. Each
// implementation calls [Run] from its own tests.
package sealtest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

const whose = "minut"

var (
	plain      = []byte("canary-7f3a: a token and its refresh token")
	additional = []byte("minut/-\x00generation 7\x002026-11-22T07:00:00Z")
)

// Run checks that a Sealer keeps its contract. open returns a new one; two of
// the same test may share a key.
func Run(t *testing.T, open func(t *testing.T) seal.Sealer) {
	for _, c := range []struct {
		name string
		test func(*testing.T, seal.Sealer)
	}{
		{"RoundTrip", roundTrip},
		{"OtherCredential", otherCredential},
		{"OtherAdditional", otherAdditional},
		{"PartsDoNotRunTogether", partsDoNotRunTogether},
		{"EveryBit", everyBit},
		{"OtherLength", otherLength},
		{"NeverSealed", neverSealed},
		{"MixedFromTwo", mixedFromTwo},
		{"HidesThePlainBytes", hidesThePlainBytes},
		{"TwoSealsDiffer", twoSealsDiffer},
		{"KeepsNoSlice", keepsNoSlice},
		{"Concurrent", concurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func mustSeal(t *testing.T, s seal.Sealer, plain, additional []byte) []byte {
	t.Helper()
	sealed, err := s.Seal(t.Context(), whose, plain, additional)
	if err != nil {
		t.Fatal("seal:", err)
	}
	return sealed
}

func refused(t *testing.T, s seal.Sealer, what, credential string, sealed, additional []byte) {
	t.Helper()
	got, err := s.Open(t.Context(), credential, sealed, additional)
	if !errors.Is(err, seal.ErrIntegrity) || len(got) != 0 {
		t.Errorf("%s: opened to %d bytes with error %v, want ErrIntegrity and none", what, len(got), err)
	}
}

func roundTrip(t *testing.T, s seal.Sealer) {
	for _, c := range []struct{ plain, additional []byte }{
		{plain, additional},
		{plain, nil},
		{nil, additional},
		{[]byte{}, nil},
		{bytes.Repeat(plain, 1<<10), bytes.Repeat(additional, 1<<8)},
	} {
		got, err := s.Open(t.Context(), whose, mustSeal(t, s, c.plain, c.additional), c.additional)
		if err != nil || !bytes.Equal(got, c.plain) {
			t.Errorf("%d bytes came back as %d: %v", len(c.plain), len(got), err)
		}
	}
}

func otherCredential(t *testing.T, s seal.Sealer) {
	sealed := mustSeal(t, s, plain, additional)
	for _, other := range []string{"", "minu", "minut2", "Minut", "monta"} {
		refused(t, s, other, other, sealed, additional)
	}
}

func otherAdditional(t *testing.T, s seal.Sealer) {
	sealed := mustSeal(t, s, plain, additional)
	longer, shorter := append(slices.Clone(additional), 0), additional[:len(additional)-1]
	changed := slices.Clone(additional)
	changed[0] ^= 1
	for _, other := range [][]byte{nil, longer, shorter, changed} {
		refused(t, s, fmt.Sprintf("%d bytes of additional data", len(other)), whose, sealed, other)
	}
}

func partsDoNotRunTogether(t *testing.T, s seal.Sealer) {
	sealed := mustSeal(t, s, plain, []byte("xyz"))
	refused(t, s, "a letter moved to the credential", whose+"x", sealed, []byte("yz"))
	refused(t, s, "a letter moved from the credential", whose[:4], sealed, []byte("txyz"))
}

func everyBit(t *testing.T, s seal.Sealer) {
	sealed := mustSeal(t, s, []byte("token"), additional)
	for i := range len(sealed) * 8 {
		changed := slices.Clone(sealed)
		changed[i/8] ^= 1 << (i % 8)
		refused(t, s, fmt.Sprintf("bit %d of byte %d flipped", i%8, i/8), whose, changed, additional)
	}
}

func otherLength(t *testing.T, s seal.Sealer) {
	sealed := mustSeal(t, s, []byte("token"), additional)
	for i := range sealed {
		refused(t, s, fmt.Sprintf("cut after %d bytes", i), whose, sealed[:i], additional)
	}
	refused(t, s, "a byte more", whose, append(slices.Clone(sealed), 0), additional)
	refused(t, s, "a byte before", whose, append([]byte{sealed[0]}, sealed...), additional)
}

func neverSealed(t *testing.T, s seal.Sealer) {
	refused(t, s, "nil", whose, nil, additional)
	refused(t, s, "plain bytes", whose, plain, additional)
	refused(t, s, "zeros", whose, make([]byte, 512), additional)
}

func mixedFromTwo(t *testing.T, s seal.Sealer) {
	a, b := mustSeal(t, s, plain, additional), mustSeal(t, s, plain, additional)
	if len(a) != len(b) {
		t.Fatalf("two seals of one text are %d and %d bytes long", len(a), len(b))
	}
	tried := 0
	for i := range a {
		mixed := slices.Concat(a[:i], b[i:])
		if bytes.Equal(mixed, a) || bytes.Equal(mixed, b) {
			continue // items may have a common start
		}
		refused(t, s, fmt.Sprintf("%d bytes of one, then another", i), whose, mixed, additional)
		tried++
	}
	if tried < len(plain) {
		t.Errorf("the two differ in %d places only", tried)
	}
}

func hidesThePlainBytes(t *testing.T, s seal.Sealer) {
	sealed := mustSeal(t, s, plain, additional)
	for window := range slices.Chunk(plain, 6) {
		if bytes.Contains(sealed, window) {
			t.Errorf("%q stands in the sealed bytes", window)
		}
	}
}

func twoSealsDiffer(t *testing.T, s seal.Sealer) {
	if bytes.Equal(mustSeal(t, s, plain, additional), mustSeal(t, s, plain, additional)) {
		t.Error("two seals of the same text are the same: they tell an onlooker that nothing changed")
	}
}

func keepsNoSlice(t *testing.T, s seal.Sealer) {
	p, a := slices.Clone(plain), slices.Clone(additional)
	sealed := mustSeal(t, s, p, a)
	clear(p)
	if !bytes.Equal(a, additional) {
		t.Error("Seal wrote into the additional data")
	}
	before := slices.Clone(sealed)
	got, err := s.Open(t.Context(), whose, sealed, a)
	if err != nil || !bytes.Equal(got, plain) {
		t.Fatal("open:", err)
	}
	clear(got)
	if !bytes.Equal(sealed, before) {
		t.Error("the opened bytes share memory with the sealed ones")
	}
}

func concurrent(t *testing.T, s seal.Sealer) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			credential, text := fmt.Sprint("credential-", i%3), fmt.Appendf(nil, "token %d", i)
			for range 20 {
				sealed, err := s.Seal(t.Context(), credential, text, additional)
				if err != nil {
					t.Error("seal:", err)
					return
				}
				if got, err := s.Open(t.Context(), credential, sealed, additional); err != nil ||
					!bytes.Equal(got, text) {
					t.Error("open:", err)
				}
			}
		})
	}
	wg.Wait()
}
