package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

func TestImportFromEnvironmentFileAndExistingSecret(t *testing.T) {
	s := newStack(t)
	id, secret := s.client("minut")
	file := filepath.Join(s.dir, "old.env")
	s.must(os.WriteFile(file, []byte("MINUT_CLIENT_ID="+id+"\nMINUT_CLIENT_SECRET="+secret+"\n"), 0o600))
	other, otherSecret := s.client("monta")
	value, err := json.Marshal(map[string]string{"clientId": other, "clientSecret": otherSecret})
	s.must(err)
	_, err = s.secrets.CreateSecret(t.Context(), &awssecrets.CreateSecretInput{
		Name: aws.String("legacy/monta-oauth"), SecretString: aws.String(string(value)),
	})
	s.must(err)

	args := []string{"import", file, "--secret", "monta=legacy/monta-oauth"}
	dry := s.direct("", append(args, "--dry-run")...)
	dry.wantOut(t, clierror.OK, "minut minut "+id+" new")
	dry.wantOut(t, clierror.OK, "monta monta "+other+" new")
	s.direct("", args...).wantOut(t, clierror.BadUsage, "new") // there is no terminal to ask on
	if s.secret("minut") != "" {
		t.Error("import made minut without --yes, want nothing")
	}
	r := s.direct("", append(args, "--yes")...)
	r.wantOut(t, clierror.OK, "minut minut "+id+" new")
	for _, shown := range []string{secret, otherSecret} {
		if strings.Contains(r.out+r.err+dry.out+dry.err, shown) {
			t.Errorf("import prints %s%s, want no secret", r.out, r.err)
		}
	}
	s.direct("", "get", "minut").want(t, clierror.OK)
	s.direct("", "get", "monta").want(t, clierror.OK)
	s.direct("", append(args, "--yes")...).wantOut(t, clierror.OK, "monta monta "+other+" there already")
}

func TestExportThenImport(t *testing.T) {
	s := newStack(t)
	s.put("minut", "minut", `scope="a b"`, `allow={"scopes":["c"]}`)
	out := s.direct("", "export").want(t, clierror.OK).out
	if _, secret := s.client("minut"); strings.Contains(out, secret) {
		t.Errorf("export prints %s, want no secret", out)
	}
	s.direct(out, "import", "-").wantOut(t, clierror.Refused, "malformed: client_secret: the export has left it out")
	filled := strings.Replace(out, `"client_id"`, `"client_secret": "`+canary+`", "client_id"`, 1)
	filled = strings.Replace(filled, `"name": "minut"`, `"name": "copy"`, 1)
	r := s.direct(filled, "import", "-", "--yes")
	r.wantOut(t, clierror.OK, "copy minut")
	if got := s.secret("copy"); !strings.Contains(got, canary) || !strings.Contains(got, `"a b"`) ||
		strings.Contains(got, "omitted") || strings.Contains(r.out+r.err, canary) {
		t.Errorf("import makes %s and prints %s%s, want the secret with its fields", got, r.out, r.err)
	}
}

func TestImportRefuses(t *testing.T) {
	s := newStack(t)
	s.direct("", "import").want(t, clierror.BadUsage, "expected a file")
	s.direct("", "import", "-").want(t, clierror.BadUsage, "the file is empty")
	s.direct("PORT=80\n", "import", "-").want(t, clierror.BadUsage, "no credential was found")
	s.direct("", "import", "--secret", "minut").want(t, clierror.BadUsage, "NAME=SECRET")
	s.direct("", "import", "--secret", "minut=nosuch").want(t, clierror.Failed, "ResourceNotFoundException")
	s.tv("", "import", "--secret", "minut=x", "--data", filepath.Join(s.dir, "d")).
		want(t, clierror.BadUsage, "--secret reads from Secrets Manager")
	const twice = `[{"name":"a","provider":"minut","client_id":"i","client_secret":"` + canary + `"},
		{"name":"a","provider":"nosuch","client_id":"i","client_secrets":"` + canary + `"}]`
	r := s.direct(twice, "import", "-", "--yes")
	r.wantOut(t, clierror.Refused, "expected each name once")
	r.wantOut(t, clierror.Refused, "provider: one of")
	if strings.Contains(r.out+r.err, canary) || s.secret("a") != "" {
		t.Errorf("import of a malformed list prints %s%s, want no secret, and nothing written", r.out, r.err)
	}
}

func TestImportOnThisMachine(t *testing.T) {
	dir := t.TempDir()
	const list = `[{"name":"a","provider":"minut","client_id":"i","client_secret":"s"}]`
	tv(t, dir, list, "import", "-", "--yes").wantOut(t, clierror.OK, "a minut i new")
	tv(t, dir, "", "export").wantOut(t, clierror.OK, `"client_id": "i"`)
	if got := secretOf(t, dir, "a")["client_secret"]; got != "s" {
		t.Errorf("import makes the client secret %v, want s", got)
	}
}
