package client_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenvend/tokenvend/pkg/client"
)

// sources returns n sources that hold a token each.
func sources(b testing.TB, n int) []*client.Source {
	b.Helper()
	c := client.New(hourly())
	b.Cleanup(func() { _ = c.Close() })
	all := make([]*client.Source, n)
	for i := range all {
		all[i] = c.Source(fmt.Sprintf("c%04d", i))
		if _, err := all[i].Token(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	return all
}

// BenchmarkHit is a call that finds a token at hand, beside the clock that it
// must look at, and beside golang.org/x/oauth2.
func BenchmarkHit(b *testing.B) {
	ctx := context.Background()
	b.Run("time.Now", func(b *testing.B) {
		for b.Loop() {
			if time.Now().UnixNano() == 0 {
				b.Fatal("no time")
			}
		}
	})
	b.Run("oauth2.ReuseTokenSource", func(b *testing.B) {
		s := oauth2.ReuseTokenSource(&oauth2.Token{AccessToken: "a", Expiry: time.Now().Add(time.Hour)}, nil)
		for b.Loop() {
			if _, err := s.Token(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, n := range []int{1, 1000} {
		all := sources(b, n)
		b.Run(fmt.Sprintf("Source/credentials=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); {
				if _, err := all[i].Token(ctx); err != nil {
					b.Fatal(err)
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

// BenchmarkHitParallel is the same from 8 goroutines at once; a figure is the
// time between two calls on all processors together.
func BenchmarkHitParallel(b *testing.B) {
	ctx := context.Background()
	b.Run("time.Now", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if time.Now().UnixNano() == 0 {
					b.Error("no time")
				}
			}
		})
	})
	b.Run("oauth2.ReuseTokenSource", func(b *testing.B) {
		s := oauth2.ReuseTokenSource(&oauth2.Token{AccessToken: "a", Expiry: time.Now().Add(time.Hour)}, nil)
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Token(); err != nil {
					b.Error(err)
				}
			}
		})
	})
	for _, n := range []int{1, 1000} {
		all := sources(b, n)
		b.Run(fmt.Sprintf("Source/credentials=%d", n), func(b *testing.B) {
			b.SetParallelism(8)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); {
					if _, err := all[i].Token(ctx); err != nil {
						b.Error(err)
					}
					if i++; i == n {
						i = 0
					}
				}
			})
		})
	}
}

func TestHitAllocatesNothing(t *testing.T) {
	s := sources(t, 1)[0]
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() { _, _ = s.Token(ctx) }); n != 0 {
		t.Errorf("Token() of a token at hand allocates %v times, want 0", n)
	}
}
