package secretsmanager_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	aws_sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/credentialtest"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
)

func TestContract(t *testing.T) {
	onEach(t, func(t *testing.T, newAccount func(*testing.T) account) {
		for how, atOnce := range map[string]bool{"deleted at once": true, "scheduled for deletion": false} {
			t.Run(how, func(t *testing.T) {
				credentialtest.Run(t, func(t *testing.T) (credential.Source, func(string, []byte), func(string)) {
					a := newAccount(t)
					return a.source(), func(name string, data []byte) {
						a.put(prefix+name, data)
					}, func(name string) { a.remove(prefix+name, atOnce) }
				})
			})
		}
	})
}

func TestFault47_StagesOfARotation(t *testing.T) {
	onEach(t, func(t *testing.T, newAccount func(*testing.T) account) { stagesOfARotation(t, newAccount(t)) })
}

func stagesOfARotation(t *testing.T, a account) {
	t.Helper()
	const name = prefix + "minut"
	old := a.put(name, credentialtest.Secret("old"))
	fresh := a.stage(name, credential.Pending, credentialtest.Secret("fresh"))
	reads(t, a, map[credential.Stage]string{
		credential.Current: "old " + old, credential.Pending: "fresh " + fresh, credential.Previous: "",
	})

	a.move(name, credential.Current, old, fresh)
	reads(t, a, map[credential.Stage]string{
		credential.Current: "fresh " + fresh, credential.Pending: "fresh " + fresh, credential.Previous: "old " + old,
	})

	a.move(name, credential.Pending, fresh, "")
	reads(t, a, map[credential.Stage]string{
		credential.Current: "fresh " + fresh, credential.Pending: "", credential.Previous: "old " + old,
	})
}

// reads checks the client ID behind each stage ("" for none) and that List has
// the current version.
func reads(t *testing.T, a account, want map[credential.Stage]string) {
	t.Helper()
	for stage, want := range want {
		c, err := a.source().Read(t.Context(), "minut", stage)
		got := fmt.Sprint(c.ID, " ", c.Version)
		if want == "" && !errors.Is(err, credential.ErrUnknown) || want != "" && (err != nil || got != want) {
			t.Errorf("%s: %s, %v; want %q", stage, got, err, want)
		}
		if all, err := a.source().List(t.Context()); err != nil ||
			stage == credential.Current && !strings.HasSuffix(want, " "+all[0].Version) {
			t.Errorf("listed %v, %v; want %q", all, err, want)
		}
	}
}

func TestPrefixesAreKeptApart(t *testing.T) {
	a := newAccount(t)
	names := map[string][]string{ // by prefix
		"tokenvend/":       {"minut", "monta"},
		"tokenvend-other/": {"minut", "miden"},
		"Tokenvend/":       {"minut", "trackmania"},
		"tokenvend":        nil,
		"":                 {"minut"},
		"nothing/":         nil,
	}
	for prefix, below := range names {
		for _, name := range below {
			a.put(prefix+name, credentialtest.Secret(prefix+name))
		}
	}
	a.put("tokenvend/team/movemint", credentialtest.Secret("another team's"))
	a.put("other/tokenvend/movemint", credentialtest.Secret("another's"))
	for prefix, below := range names {
		s := secretsmanager.New(a.Client, prefix)
		var got []string
		all, err := s.List(t.Context())
		for _, l := range all {
			got = append(got, l.Name)
			if c, err := s.Read(t.Context(), l.Name, credential.Current); err != nil || c.ID != prefix+l.Name ||
				c.Version != l.Version {
				t.Errorf("%s%s: client %s, version %s; %v", prefix, l.Name, c.ID, c.Version, err)
			}
		}
		slices.Sort(below)
		if err != nil || !slices.Equal(got, below) {
			t.Errorf("%q: listed %v, %v; want %v", prefix, got, err, below)
		}
	}
	for _, odd := range []string{"team/movemint", "../tokenvend-other/minut"} {
		if _, err := a.source().Read(t.Context(), odd, credential.Current); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

func TestFault61_APageThatFailsFailsTheList(t *testing.T) {
	a := newAccount(t)
	for i := range 210 {
		a.put(fmt.Sprintf("%scredential-%03d", prefix, i), credentialtest.Secret("id"))
	}
	all, err := a.source().List(t.Context())
	if err != nil || len(all) != 210 || a.calls.of("ListSecrets") != 3 {
		t.Fatalf("%d listed in %d calls: %v", len(all), a.calls.of("ListSecrets"), err)
	}
	for page := range 3 {
		before := a.calls.of("ListSecrets")
		a.calls.fail = func(operation string, nth int) bool {
			return operation == "ListSecrets" && nth == before+1+page
		}
		if all, err := a.source().List(t.Context()); !errors.Is(err, credential.ErrUnavailable) || len(all) > 0 {
			t.Errorf("page %d fails: %d listed, %v", 1+page, len(all), err)
		}
	}
}

// Entries that a changing list shows, and that List does not promise to omit.
func TestOddEntriesOfAList(t *testing.T) {
	all, err := answering(t, 200, `{"SecretList":[
		{"Name":"tokenvend/monta","SecretVersionsToStages":{"v1":["AWSPREVIOUS"],"v2":["AWSPENDING","AWSCURRENT"]}},
		{"Name":"tokenvend/minut","SecretVersionsToStages":{"v3":["AWSCURRENT"]}},
		{"Name":"tokenvend/monta","SecretVersionsToStages":{"v2":["AWSCURRENT"]}},
		{"Name":"tokenvend/gone","DeletedDate":1795000000,"SecretVersionsToStages":{"v4":["AWSCURRENT"]}},
		{"Name":"TOKENVEND/other","SecretVersionsToStages":{"v5":["AWSCURRENT"]}},
		{"Name":"tokenvend/pending","SecretVersionsToStages":{"v6":["AWSPENDING"]}},
		{"SecretVersionsToStages":{"v7":["AWSCURRENT"]}}
	],"NextToken":""}`).List(t.Context())
	if want := []credential.Listed{
		{Name: "minut", Version: "v3"},
		{Name: "monta", Version: "v2"},
	}; err != nil || !slices.Equal(all, want) {
		t.Errorf("listed %v, %v; want %v", all, err, want)
	}
}

func TestScheduledForDeletionIsGone(t *testing.T) {
	a := newAccount(t)
	a.put(prefix+"minut", credentialtest.Secret("id"))
	a.put(prefix+"monta", credentialtest.Secret("id"))
	a.remove(prefix+"minut", false)
	for _, stage := range []credential.Stage{credential.Current, credential.Pending, credential.Previous} {
		if _, err := a.source().Read(t.Context(), "minut", stage); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("%s: %v, want ErrUnknown", stage, err)
		}
	}
	absent, err := a.source().Absent(t.Context(), "minut")
	if err != nil || !absent {
		t.Errorf("absent: %v, %v", absent, err)
	}
	name := prefix + "minut"
	if _, err := a.RestoreSecret(t.Context(), &aws_sm.RestoreSecretInput{SecretId: &name}); err != nil {
		t.Fatal(err)
	}
	if c, err := a.source().Read(t.Context(), "minut", credential.Current); err != nil || c.ID != "id" {
		t.Errorf("restored: %v", err)
	}
	if all, err := a.source().List(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("restored: listed %v, %v", all, err)
	}
}

func TestBinary(t *testing.T) {
	a := newAccount(t)
	name := prefix + "minut"
	if _, err := a.CreateSecret(t.Context(), &aws_sm.CreateSecretInput{
		Name: &name, SecretBinary: credentialtest.Secret("canary-id"),
	}); err != nil {
		t.Fatal(err)
	}
	_, err := a.source().Read(t.Context(), "minut", credential.Current)
	bad, malformed := errors.AsType[*credential.Malformed](err)
	if !malformed || bad.Credential != "minut" || bad.Version == "" || bad.Fields[0].Field != "secret" ||
		!strings.Contains(err.Error(), "SecretBinary") || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v", err)
	}
	absent, err := a.source().Absent(t.Context(), "minut")
	if all, errList := a.source().List(t.Context()); absent || errors.Join(err, errList) != nil || len(all) != 1 {
		t.Errorf("it is there all the same: absent %v, listed %v; %v, %v", absent, all, err, errList)
	}
}

func TestWithoutAValue(t *testing.T) {
	a := newAccount(t)
	name := prefix + "minut"
	if _, err := a.CreateSecret(t.Context(), &aws_sm.CreateSecretInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.source().Read(t.Context(), "minut", credential.Current); !errors.Is(err, credential.ErrUnknown) {
		t.Errorf("read: %v, want ErrUnknown", err)
	}
	absent, err := a.source().Absent(t.Context(), "minut")
	if all, errList := a.source().List(t.Context()); absent || errors.Join(err, errList) != nil || len(all) != 0 {
		t.Errorf("absent %v, listed %v; %v, %v", absent, all, err, errList)
	}
}
