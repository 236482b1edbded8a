package client_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A caller links the SDK that its transport needs, and no other.
func TestCallerLinksOnlyWhatItUses(t *testing.T) {
	const sdk, oauth2 = "github.com/aws/", "golang.org/x/oauth2"
	for folder, never := range map[string][]string{
		".":              {sdk, oauth2},
		"./oauth2source": {sdk},
		"./clienttest":   {sdk, oauth2, "testing"},
		"./signed":       {sdk + "aws-sdk-go-v2/service/", sdk + "aws-sdk-go-v2/config", oauth2},
		"./invoke":       {sdk + "aws-sdk-go-v2/config", oauth2},
	} {
		t.Run(folder, func(t *testing.T) {
			out, err := exec.Command("go", "list", "-deps", folder).Output()
			if err != nil {
				t.Fatalf("go list -deps %s: %v", folder, err)
			}
			for _, linked := range strings.Fields(string(out)) {
				for _, prefix := range never {
					if strings.HasPrefix(linked, prefix) {
						t.Errorf("go list -deps %s has %s, want it not linked", folder, linked)
					}
				}
			}
		})
	}
}
