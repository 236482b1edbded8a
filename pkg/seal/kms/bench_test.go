package kms_test

import (
	"bytes"
	"testing"
)

// Both measure a token of a kilobyte, under a cached data key.

func BenchmarkSeal(b *testing.B) {
	s, plain := goldenSealer(b), bytes.Repeat([]byte("x"), 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Seal(b.Context(), "minut", plain, additional); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	s := goldenSealer(b)
	sealed := mustSeal(b, s, "minut", string(bytes.Repeat([]byte("x"), 1<<10)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Open(b.Context(), "minut", sealed, additional); err != nil {
			b.Fatal(err)
		}
	}
}
