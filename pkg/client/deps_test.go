package client_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A caller links the SDK that its transport needs, and no other: by package
// signed, no client of an AWS service.
func TestCallerLinksOnlyWhatItUses(t *testing.T) {
	const sdk, oauth2 = "github.com/aws/", "golang.org/x/oauth2"
	for imports, never := range map[string][]string{
		".":              {sdk, oauth2},
		". ./signed":     {sdk + "aws-sdk-go-v2/service/", sdk + "aws-sdk-go-v2/config", oauth2},
		"./oauth2source": {sdk},
		"./clienttest":   {sdk, oauth2, "testing"},
		"./signed":       {sdk + "aws-sdk-go-v2/service/", sdk + "aws-sdk-go-v2/config", oauth2},
		"./invoke":       {sdk + "aws-sdk-go-v2/config", oauth2},
	} {
		t.Run(imports, func(t *testing.T) {
			args := append([]string{"list", "-deps"}, strings.Fields(imports)...)
			out, err := exec.Command("go", args...).Output()
			if err != nil {
				t.Fatalf("go list -deps %s = %v, want success", imports, err)
			}
			for _, linked := range strings.Fields(string(out)) {
				for _, prefix := range never {
					if strings.HasPrefix(linked, prefix) {
						t.Errorf("go list -deps %s has %s, want it not linked", imports, linked)
					}
				}
			}
		})
	}
}
