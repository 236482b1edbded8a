package catalog

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

func TestCatalogueLint(t *testing.T) {
	for _, name := range []string{"miden", "minut", "monta", "movemint", "oauth2", "oauth2-post", "trackmania"} {
		if !slices.Contains(Names(), name) {
			t.Errorf("Names() = %v, want %s among them", Names(), name)
		}
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			d, err := Get(name)
			if err != nil {
				t.Fatal(err)
			}
			if d.Name != name || d.Docs == "" {
				t.Errorf("name = %q, docs = %q, want the file's name and the vendor's page", d.Name, d.Docs)
			}
			if checked, err := time.Parse(time.DateOnly, d.Checked); d.Checked != descriptor.NotRead &&
				(err != nil || checked.After(time.Now())) {
				t.Errorf("checked = %q, want a day that is past, or %q", d.Checked, descriptor.NotRead)
			}
			for grant, overlap := range d.Overlaps {
				isSaid := slices.ContainsFunc(d.Notes, func(note string) bool {
					isRead := d.Checked != descriptor.NotRead
					return strings.Contains(note, "overlap is assumed") ||
						isRead && strings.Contains(note, "token "+string(overlap)+" the one before")
				})
				if overlap != descriptor.OverlapUnknown && !isSaid {
					t.Errorf("overlap.%s is %s: no note says that the vendor's page says so, or why it is assumed",
						grant, overlap)
				}
			}
			twice, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			var same descriptor.Descriptor
			if err := json.Unmarshal(twice, &same); err != nil || !reflect.DeepEqual(&same, d) {
				t.Errorf("written and read again it is another: %v, want no error and reflect.DeepEqual(&same, d)", err)
			}
		})
	}
}

// Of the vendors' pages, the table of what they say.
func TestCatalogueSaysWhatTheDocumentsSay(t *testing.T) {
	type row struct {
		url, revoke, verify, authorize string
		refreshes                      bool
		rotates                        descriptor.Rotates
	}
	for name, want := range map[string]row{
		"minut": {url: "https://api.minut.com/v8/oauth/token", verify: "/v8/users/me"},
		"movemint": {url: "https://www.movemint.cc/oauth/token", revoke: "/oauth/revoke",
			verify: "/oauth/token/info", authorize: "/oauth/authorize", refreshes: true,
			rotates: descriptor.RotatesUnknown},
		"trackmania": {url: "https://api.trackmania.com/api/access_token", authorize: "/oauth/authorize",
			refreshes: true, rotates: descriptor.RotatesYes},
		"miden": {},
		"monta": {url: "https://public-api.monta.com/api/v1/auth/token", verify: "/api/v1/auth/me",
			refreshes: true, rotates: descriptor.RotatesYes},
		"oauth2":      {refreshes: true, rotates: descriptor.RotatesUnknown},
		"oauth2-post": {refreshes: true, rotates: descriptor.RotatesUnknown},
	} {
		d, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		got := row{url: d.Token.URL, refreshes: d.Refreshes()}
		if d.Revoke != nil {
			got.revoke = d.Revoke.URL
		}
		if d.Verify != nil {
			got.verify = d.Verify.URL
		}
		if d.Authorize != nil {
			got.authorize = d.Authorize.URL
		}
		if d.Refresh != nil {
			got.rotates = d.Refresh.Rotates
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if d.NeedsTokenURL() != (want.url == "") || d.Reuse() != descriptor.ReuseUnknown || !d.SingleUse() ||
			d.MaxLifetime() != 24*time.Hour {
			t.Errorf("%s: defaults differ", name)
		}
	}
}

func TestCatalogUnknownNameListsTheKnown(t *testing.T) {
	for _, name := range []string{"nobody", "", "../provider", "minut.json"} {
		if _, err := Get(name); err == nil || !strings.Contains(err.Error(), "miden, minut, monta") {
			t.Errorf(`Get(%q): %v, want an error and "miden, minut, monta" in err.Error()`, name, err)
		}
	}
}
