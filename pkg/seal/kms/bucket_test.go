package kms_test

import (
	"fmt"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

// buckets is how many there are.
const buckets = 256

func TestCredentialsOfABucketShareItsDataKeys(t *testing.T) {
	s := newStack(t)
	const credentials = 3000
	name := func(n int) string { return fmt.Sprint("credential-", n) }
	one, two := s.bucketed(), s.bucketed()
	sealed := make([][]byte, credentials)
	for n := range sealed {
		sealed[n] = mustSeal(t, one, name(n), "token")
	}
	s.costs(t, "a seal for each of many credentials", buckets, 0)
	for n := range sealed {
		opens(t, two, name(n), sealed[n], "token")
	}
	s.costs(t, "opening them in another process", 0, buckets)
}

// Two credentials of one bucket have a data key in common. What is sealed for
// one does not open for the other.
func TestFault54_OtherCredentialOfTheBucket(t *testing.T) {
	s := newStack(t)
	sealer := s.bucketed()
	sealed := mustSeal(t, sealer, "minut", "token")
	s.costs(t, "a seal", 1, 0)
	other := ""
	for n := 0; other == ""; n++ {
		name := fmt.Sprint("credential-", n)
		mustSeal(t, sealer, name, "token")
		s.calls.mu.Lock()
		if s.calls.count["GenerateDataKey"] == 0 {
			other = name
		}
		clear(s.calls.count)
		s.calls.mu.Unlock()
	}
	fails(t, sealer, other, sealed, seal.ErrIntegrity)
	fails(t, s.bucketed(), other, sealed, seal.ErrIntegrity)
	s.costs(t, "opening it for another credential of the bucket", 0, 1)
	changed := append([]byte{2}, sealed[1:]...)
	putChecksum(changed, 3+len(take(t, sealed).wrapped))
	fails(t, s.process(), "minut", changed, seal.ErrIntegrity)
	s.costs(t, "an item whose format was changed", 0, 1)
}

func TestBothFormatsAreOpened(t *testing.T) {
	s := newStack(t)
	byCredential, byBucket := mustSeal(t, s.process(), "minut", "a"), mustSeal(t, s.bucketed(), "minut", "b")
	opens(t, s.process(), "minut", byBucket, "b")
	opens(t, s.bucketed(), "minut", byCredential, "a")
}
