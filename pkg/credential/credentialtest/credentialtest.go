// Package credentialtest is the contract of [credential.Source] as tests. Each
// implementation calls [Run] from its own tests.
package credentialtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// Fresh returns an empty source and functions that change it: put stores a
// secret under a name unchecked, in place of an older one; remove deletes one.
type Fresh func(t *testing.T) (s credential.Source, put func(name string, data []byte), remove func(name string))

// canary is a secret that no error may show.
const canary = "canary-5c1e77a0"

// Secret returns a well-formed secret with that client ID.
func Secret(clientID string) []byte {
	return fmt.Appendf(
		nil, `{"descriptor":{"token":{"url":"https://id.example/token"}},"client_id":%q,"client_secret":%q}`, clientID,
		canary,
	)
}

// many is more than one page of a listing holds.
const many = 120

// Run checks that a Source keeps its contract.
func Run(t *testing.T, fresh Fresh) {
	for _, c := range []struct {
		name string
		test func(*testing.T, bench)
	}{
		{"Read", read},
		{"ReadUnknown", readUnknown},
		{"ReadMalformed", readMalformed},
		{"Stages", stages},
		{"VersionFollowsTheSecret", versionFollowsTheSecret},
		{"ListNothing", listNothing},
		{"ListMany", listMany},
		{"ListLeavesOutOddNames", listLeavesOutOddNames},
		{"Removed", removed},
		{"GivenUp", givenUp},
		{"Concurrent", concurrent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, put, remove := fresh(t)
			c.test(t, bench{Source: s, put: put, remove: remove})
		})
	}
}

type bench struct {
	credential.Source
	put    func(name string, data []byte)
	remove func(name string)
}

func (b bench) mustRead(t *testing.T, name string) credential.Credential {
	t.Helper()
	c, err := b.Read(t.Context(), name, credential.Current)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return c
}

func (b bench) mustList(t *testing.T) []credential.Listed {
	t.Helper()
	all, err := b.List(t.Context())
	if err != nil {
		t.Fatal("list:", err)
	}
	slices.SortFunc(all, func(a, b credential.Listed) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (b bench) checkAbsent(t *testing.T, name string, want bool) {
	t.Helper()
	if absent, err := b.Absent(t.Context(), name); err != nil || absent != want {
		t.Errorf("%s absent: %v, %v; want %v", name, absent, err, want)
	}
}

func read(t *testing.T, b bench) {
	b.put("minut", Secret("id-1"))
	b.put("minut-eu", Secret("id-2"))
	c := b.mustRead(t, "minut")
	if c.Name != "minut" || c.ID != "id-1" || c.Secret.Reveal() != canary || c.Version == "" {
		t.Errorf("read %q with id %q and version %q", c.Name, c.ID, c.Version)
	}
	if c := b.mustRead(t, "minut-eu"); c.ID != "id-2" {
		t.Errorf("read id %q, another credential's", c.ID)
	}
	b.checkAbsent(t, "minut", false)
}

func readUnknown(t *testing.T, b bench) {
	b.put("minut", Secret("id"))
	for _, name := range []string{
		"monta", "minu", "minut2", "Minut", "", "..", "../minut", "minut/", "*", strings.Repeat("a", 64),
	} {
		if _, err := b.Read(t.Context(), name, credential.Current); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("%q: %v, want ErrUnknown", name, err)
		}
		b.checkAbsent(t, name, true)
	}
}

func readMalformed(t *testing.T, b bench) {
	b.put("minut", fmt.Appendf(nil, `{"client_id":7,"client_secret":[%q]}`, canary))
	_, err := b.Read(t.Context(), "minut", credential.Current)
	malformed, ok := errors.AsType[*credential.Malformed](err)
	if !ok || malformed.Credential != "minut" || len(malformed.Fields) != 3 {
		t.Errorf("%v, want a Malformed with three fields", err)
	}
	if strings.Contains(fmt.Sprintf("%+v", err), canary) {
		t.Error("the error shows a value")
	}
	if all := b.mustList(t); len(all) != 1 {
		t.Errorf("listed %v: a malformed secret is there all the same", all)
	}
	b.checkAbsent(t, "minut", false)
}

func stages(t *testing.T, b bench) {
	b.put("minut", Secret("id"))
	for _, stage := range []credential.Stage{credential.Pending, "", "NOSUCHSTAGE"} {
		if _, err := b.Read(t.Context(), "minut", stage); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("stage %q: %v, want ErrUnknown", stage, err)
		}
	}
}

func versionFollowsTheSecret(t *testing.T, b bench) {
	b.put("minut", Secret("id-1"))
	first := b.mustRead(t, "minut")
	if again := b.mustRead(t, "minut"); again.Version != first.Version {
		t.Error("the version changed by itself")
	}
	seen := map[string]bool{first.Version: true}
	for i := range 5 {
		b.put("minut", Secret(fmt.Sprint("id-", 2+i)))
		next := b.mustRead(t, "minut")
		if seen[next.Version] {
			t.Errorf("replacement %d has a version that was there before", i)
		}
		seen[next.Version] = true
		if all := b.mustList(t); len(all) != 1 || all[0].Version != next.Version {
			t.Errorf("listed as %v, read as version %s", all, next.Version)
		}
		if strings.Contains(next.Version, canary) {
			t.Error("the version shows the secret")
		}
	}
}

func listNothing(t *testing.T, b bench) {
	if all := b.mustList(t); len(all) != 0 {
		t.Errorf("listed %v", all)
	}
}

func listMany(t *testing.T, b bench) {
	for i := range many {
		b.put(fmt.Sprintf("credential-%03d", i), Secret("id"))
	}
	all := b.mustList(t)
	if len(all) != many {
		t.Fatalf("listed %d of %d", len(all), many)
	}
	for i, l := range all {
		if l.Name != fmt.Sprintf("credential-%03d", i) || l.Version == "" {
			t.Errorf("listed %+v at %d", l, i)
		}
	}
}

func listLeavesOutOddNames(t *testing.T, b bench) {
	for _, name := range []string{"minut", "Minut-EU", "-minut", "a.b", strings.Repeat("a", 64)} {
		b.put(name, Secret("id"))
	}
	if all := b.mustList(t); len(all) != 1 || all[0].Name != "minut" {
		t.Errorf("listed %v", all)
	}
}

func removed(t *testing.T, b bench) {
	b.put("minut", Secret("id"))
	b.put("monta", Secret("id"))
	b.remove("minut")
	if _, err := b.Read(t.Context(), "minut", credential.Current); !errors.Is(err, credential.ErrUnknown) {
		t.Errorf("%v, want ErrUnknown", err)
	}
	b.checkAbsent(t, "minut", true)
	if all := b.mustList(t); len(all) != 1 || all[0].Name != "monta" {
		t.Errorf("listed %v", all)
	}
	b.put("minut", Secret("id"))
	b.checkAbsent(t, "minut", false)
}

// givenUp checks that a cancelled call returns nothing, and no absence in
// particular.
func givenUp(t *testing.T, b bench) {
	b.put("minut", Secret("id"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errRead := b.Read(ctx, "minut", credential.Current)
	_, errList := b.List(ctx)
	absent, errAbsent := b.Absent(ctx, "monta")
	for _, err := range []error{errRead, errList, errAbsent} {
		if !errors.Is(err, credential.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want ErrUnavailable and context.Canceled", err)
		}
	}
	if absent {
		t.Error("absent, by a question that was not asked")
	}
}

func concurrent(t *testing.T, b bench) {
	b.put("minut", Secret("id"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				_, errRead := b.Read(t.Context(), "minut", credential.Current)
				_, errList := b.List(t.Context())
				_, errAbsent := b.Absent(t.Context(), "monta")
				if err := errors.Join(errRead, errList, errAbsent); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
