package kms_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/seal/kms"
	"github.com/tokenvend/tokenvend/pkg/seal/sealtest"
)

func TestFault54_Contract(t *testing.T) {
	onEach(t, func(t *testing.T, s stack) {
		sealtest.Run(t, func(*testing.T) seal.Sealer { return s.process() })
	})
}

func TestFault54_ContractByBucket(t *testing.T) {
	onEach(t, func(t *testing.T, s stack) {
		sealtest.Run(t, func(*testing.T) seal.Sealer { return s.bucketed() })
	})
}

// cold opens with a Sealer whose cache is empty.
type cold struct {
	*kms.Sealer
	stack stack
}

func (c cold) Open(ctx context.Context, credential string, sealed, additional []byte) ([]byte, error) {
	return c.stack.process().Open(ctx, credential, sealed, additional)
}

func TestFault54_ContractCold(t *testing.T) {
	onEach(t, func(t *testing.T, s stack) {
		sealtest.Run(t, func(*testing.T) seal.Sealer { return cold{s.process(), s} })
		sealtest.Run(t, func(*testing.T) seal.Sealer { return cold{s.bucketed(), s} })
	})
}

func TestFault54_ElsewhereItDoesNotOpen(t *testing.T) {
	s := newStack(t)
	sealed := mustSeal(t, s.process(), "minut", "token")
	s.costs(t, "a first seal", 1, 0)

	fails(t, s.process(), "monta", sealed, seal.ErrIntegrity)
	s.costs(t, "another credential", 0, 1)
	fails(t, kms.New(s.Client, kms.Config{KeyID: s.key, SealID: "stack-2"}), "minut", sealed, seal.ErrIntegrity)
	s.costs(t, "another stack", 0, 1)

	warm := s.process()
	opens(t, warm, "minut", sealed, "token")
	fails(t, warm, "monta", sealed, seal.ErrIntegrity)
	s.costs(t, "another credential, by who holds the data key", 0, 2)
}

func TestFault54_MixedFromTwoDataKeys(t *testing.T) {
	s := newStack(t)
	a, b := mustSeal(t, s.process(), "minut", "token"), mustSeal(t, s.process(), "minut", "token")
	for i := range a {
		if mixed := slices.Concat(a[:i], b[i:]); !slices.Equal(mixed, a) && !slices.Equal(mixed, b) {
			fails(t, s.process(), "minut", mixed, seal.ErrIntegrity)
		}
	}
}

func TestFault54_NotOurs(t *testing.T) {
	s := newStack(t)
	file, err := keyfile.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	byFile, _ := file.Seal(t.Context(), "minut", []byte("token"), additional)
	ofKMS := mustSeal(t, s.process(), "minut", "token")
	s.costs(t, "seal", 1, 0)
	unsealed, _ := seal.Off{}.Seal(t.Context(), "minut", []byte("token"), additional)
	for _, foreign := range [][]byte{
		byFile,
		unsealed,
		[]byte(`{"access_token":"x"}`),
		{2},
		{2, 0, 0},
		{2, 0, 0, 0, 0, 0, 0},
		{2, 255, 255, 1},
	} {
		fails(t, s.process(), "minut", foreign, seal.ErrIntegrity)
	}
	s.costs(t, "what was never sealed here", 0, 0)
	for _, other := range []seal.Sealer{file, seal.Off{}} {
		if _, err := other.Open(t.Context(), "minut", ofKMS, additional); !errors.Is(err, seal.ErrIntegrity) {
			t.Errorf("%T opened it: %v", other, err)
		}
	}
}

// A deliberate change of the wrapped key comes with the right checksum.
func TestFault54_ADamagedDataKey(t *testing.T) {
	s := newStack(t)
	sealed := mustSeal(t, s.process(), "minut", "token")
	end := len(take(t, sealed).wrapped) + 3
	changed := slices.Clone(sealed)
	changed[end-1] ^= 1
	fails(t, s.process(), "minut", changed, seal.ErrIntegrity)
	s.costs(t, "a damaged key", 1, 0)
	putChecksum(changed, end)
	fails(t, s.process(), "minut", changed, seal.ErrIntegrity)
	s.costs(t, "a changed key", 0, 1)
}

// KMS answers to a ciphertext of such a length as to a malformed request, and
// not as to damage. Whoever can write the table sets the checksum right.
func TestFault54_ADataKeyOfAnImpossibleLength(t *testing.T) {
	s := newStack(t)
	for _, n := range []int{0, 6145, 65535} {
		const head = 3
		sealed := make([]byte, head+n+4+12+16)
		sealed[0], sealed[1], sealed[2] = 2, byte(n>>8), byte(n)
		putChecksum(sealed, head+n)
		fails(t, s.process(), "minut", sealed, seal.ErrIntegrity)
	}
	s.costs(t, "keys that KMS would not take", 0, 0)
}

func TestWhatItCosts(t *testing.T) {
	s := newStack(t)
	one := s.process()
	if _, err := one.Seal(t.Context(), "minut", nil, nil); err != nil {
		t.Fatal(err)
	}
	s.costs(t, "the first seal, of nothing", 1, 0)
	first, second := mustSeal(t, one, "minut", "a"), mustSeal(t, one, "minut", "b")
	opens(t, one, "minut", first, "a")
	s.costs(t, "more of one credential", 0, 0)
	other := mustSeal(t, one, "monta", "c")
	s.costs(t, "another credential", 1, 0)

	two := s.process()
	opens(t, two, "minut", first, "a")
	s.costs(t, "a cold open", 0, 1)
	opens(t, two, "minut", first, "a")
	opens(t, two, "minut", second, "b")
	s.costs(t, "warm opens", 0, 0)
	opens(t, two, "monta", other, "c")
	s.costs(t, "a cold open of another credential", 0, 1)
	mustSeal(t, two, "minut", "d")
	s.costs(t, "the second process's first seal", 1, 0)
}

func TestManyWaitForOneCall(t *testing.T) {
	s := newStack(t)
	one, two := s.process(), s.process()
	items := make([][]byte, 50)
	all := func(each func(i int)) {
		var wg sync.WaitGroup
		for i := range items {
			wg.Go(func() { each(i) })
		}
		wg.Wait()
	}
	all(func(i int) { items[i] = mustSeal(t, one, "minut", fmt.Sprint(i)) })
	s.costs(t, "50 first seals at once", 1, 0)
	all(func(i int) { opens(t, two, "minut", items[i], fmt.Sprint(i)) })
	s.costs(t, "50 cold opens at once", 0, 1)

	s.calls.set(true, nil)
	all(func(i int) { fails(t, s.process(), "minut", items[i], seal.ErrUnavailable) })
	s.costs(t, "50 processes without KMS", 0, 50)
}

// If the caller that sent the request gives up, a waiting one sends another,
// and no other caller gets an error.
func TestOneWhoGivesUpTakesNobodyAlong(t *testing.T) {
	s := newStack(t)
	one := s.process()
	asked := make(chan struct{})
	var once sync.Once
	s.calls.set(false, func(r *http.Request) {
		once.Do(func() {
			close(asked)
			<-r.Context().Done()
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := one.Seal(ctx, "minut", nil, nil); !errors.Is(err, seal.ErrUnavailable) ||
			!errors.Is(err, context.Canceled) {
			t.Errorf("the one who left: %v", err)
		}
	})
	<-asked
	impatient, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := one.Seal(impatient, "minut", nil, nil); !errors.Is(err, seal.ErrUnavailable) ||
		!errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one who waited, and not for long: %v", err)
	}
	for range 10 {
		wg.Go(func() { mustSeal(t, one, "minut", "token") })
	}
	time.Sleep(20 * time.Millisecond)
	cancel()
	wg.Wait()
	s.costs(t, "one who left, ten who stayed", 2, 0)
}

func TestADayLater(t *testing.T) {
	s := newStack(t)
	s.closeConnections()
	synctest.Test(t, func(t *testing.T) {
		one := s.process()
		first := mustSeal(t, one, "minut", "first")
		time.Sleep(24*time.Hour - time.Second)
		mustSeal(t, one, "minut", "second")
		s.costs(t, "within a day", 1, 0)
		time.Sleep(time.Second)
		third := mustSeal(t, one, "minut", "third")
		s.costs(t, "a day later", 1, 0)
		opens(t, one, "minut", first, "first")
		opens(t, one, "minut", third, "third")
		s.costs(t, "what was sealed before, and after", 0, 0)
		if slices.Equal(take(t, first).wrapped, take(t, third).wrapped) {
			t.Error("sealed under the same data key")
		}
		two := s.process()
		opens(t, two, "minut", first, "first")
		opens(t, two, "minut", third, "third")
		s.costs(t, "cold", 0, 2)
	})
}

func TestADataKeySealsSoManyTimes(t *testing.T) {
	s := newStack(t)
	one := s.process()
	one.Limit(time.Hour, 3)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() { opens(t, one, "minut", mustSeal(t, one, "minut", "token"), "token") })
	}
	wg.Wait()
	s.costs(t, "12 seals, 3 under each key", 4, 0)
}

func TestKeysThatNobodyUsesAreForgotten(t *testing.T) {
	s := newStack(t)
	items := map[string][]byte{}
	sealer := s.process()
	for i := range 20 {
		name := fmt.Sprint("credential-", i)
		items[name] = mustSeal(t, sealer, name, name)
	}
	clear(s.calls.count)
	one := s.process()
	one.Hold(8)
	opens(t, one, "credential-0", items["credential-0"], "credential-0")
	s.costs(t, "the first", 0, 1)
	for name, sealed := range items {
		opens(t, one, name, sealed, name)
		opens(t, one, "credential-0", items["credential-0"], "credential-0")
		if held := one.Held(); held > 8 {
			t.Fatalf("%d keys are held", held)
		}
	}
	s.costs(t, "each of the others once", 0, 19)
}

func TestFault55_WithoutKMS(t *testing.T) {
	s := newStack(t)
	one, other := s.process(), s.process()
	mine, theirs := mustSeal(t, one, "minut", "mine"), mustSeal(t, other, "minut", "theirs")
	opens(t, one, "minut", theirs, "theirs")
	unseen := mustSeal(t, other, "monta", "unseen")
	s.calls.set(true, nil)

	opens(t, one, "minut", mine, "mine")
	opens(t, one, "minut", theirs, "theirs")
	opens(t, one, "minut", mustSeal(t, one, "minut", "more"), "more")
	fails(t, one, "monta", unseen, seal.ErrUnavailable)
	fails(t, s.process(), "minut", mine, seal.ErrUnavailable)
	if _, err := one.Seal(t.Context(), "monta", nil, nil); !errors.Is(err, seal.ErrUnavailable) {
		t.Errorf("a first seal: %v", err)
	}

	s.calls.set(false, nil)
	opens(t, one, "monta", unseen, "unseen")
	mustSeal(t, one, "monta", "token")
}
