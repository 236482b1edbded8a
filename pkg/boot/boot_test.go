package boot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// environment returns a valid environment with changes; "" removes a variable.
func environment(changes map[string]string) func(string) string {
	all := map[string]string{
		EnvTable: "tokens", EnvSealKey: "alias/seal", EnvSealID: "stack",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush",
	}
	return func(name string) string {
		if value, changed := changes[name]; changed {
			return value
		}
		return all[name]
	}
}

var settingName = regexp.MustCompile(`(?m)^[A-Z_]+`)

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	wrong := map[string]string{
		EnvTable: "", EnvSecretPrefix: "white space/", EnvSealing: "maybe", EnvSealKey: "", EnvSealID: "",
		EnvAllowPrivate: "perhaps", EnvProofs: "no binding",
		EnvProxy: "https://user:hush@proxy", EnvLogLevel: "loud", EnvRowFormat: "5", EnvStaleMax: "later",
		"AWS_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
	}
	_, vendErr := Vend(t.Context(), Process{Getenv: environment(wrong), Log: io.Discard})
	_, rotateErr := Rotate(t.Context(), Process{Getenv: environment(wrong), Log: io.Discard})
	if vendErr == nil || rotateErr == nil || vendErr.Error() != rotateErr.Error() {
		t.Fatalf("vend: %v\nrotate: %v", vendErr, rotateErr)
	}
	named := settingName.FindAllString(vendErr.Error(), -1)
	slices.Sort(named)
	var want []string
	for name := range wrong {
		want = append(want, name)
	}
	slices.Sort(want)
	if !slices.Equal(named, want) {
		t.Errorf("named %v, want %v", named, want)
	}
	for _, value := range []string{"white space", "maybe", "perhaps", "hush", "loud", "no binding"} {
		if strings.Contains(vendErr.Error(), value) {
			t.Errorf("the error shows a value: %v", vendErr)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{EnvSealing, "on", true}, {EnvSealing, "off", true}, {EnvSealing, "", true}, {EnvSealing, "true", false},
		{EnvSealing, "OFF", false},
		{EnvAllowPrivate, "true", true}, {EnvAllowPrivate, "false", true}, {EnvAllowPrivate, "", true},
		{EnvAllowPrivate, "yes", false},
		{EnvProxy, "", true}, {EnvProxy, "http://proxy.internal:3128", true}, {EnvProxy, "http://10.0.0.1:3128/", true},
		{EnvProxy, "http://proxy", false}, {EnvProxy, "https://proxy:3128", false},
		{EnvProxy, "http://u:p@proxy:3128", false}, {EnvProxy, "proxy:3128", false},
		{EnvProxy, "http://proxy:3128/x", false},
		{EnvProxy, "http://:3128", false}, {EnvProxy, "http://proxy:3128?x=y", false},
		{EnvRowFormat, "", true}, {EnvRowFormat, "1", true}, {EnvRowFormat, "migrate", true}, {EnvRowFormat, "2", true},
		{EnvRowFormat, "migrate-3", true}, {EnvRowFormat, "3", true},
		{EnvRowFormat, "migrate-4", true}, {EnvRowFormat, "4", true},
		{EnvRowFormat, "both", false},
		{EnvStaleMax, "", true}, {EnvStaleMax, "60s", true}, {EnvStaleMax, "24h", true}, {EnvStaleMax, "59s", false},
		{EnvStaleMax, "25h", false}, {EnvStaleMax, "900", false},
		{EnvLogLevel, "", true}, {EnvLogLevel, "debug", true}, {EnvLogLevel, "error", true},
		{EnvLogLevel, "INFO", false}, {EnvLogLevel, "trace", false},
		{EnvProofs, "", true}, {EnvProofs, "entra=api://AzureADTokenExchange@login.microsoftonline.com", true},
		{EnvProofs, "box=arn:aws:kms:us-east-1:123456789012:key/1@api.box.com", true},
		{EnvProofs, "box=arn:aws:kms:eu-west-1:123456789012:key/1@api.box.com", false},
		{EnvProofs, "box=arn:aws:kms:us-east-1:123456789012:alias/box@api.box.com", false}, {EnvProofs, "box", false},
		{EnvTracing, "", true}, {EnvTracing, "on", true}, {EnvTracing, "off", true}, {EnvTracing, "Active", false},
		{EnvCA, "", true}, {EnvCA, "/nonexistent", false}, {EnvCA, "boot.go", false},
		{"AWS_USE_FIPS_ENDPOINT", "true", true}, {"AWS_USE_FIPS_ENDPOINT", "yes", false},
		{"AWS_USE_DUALSTACK_ENDPOINT", "true", true}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "maybe", false},
		{EnvSecretPrefix, "", true}, {EnvSecretPrefix, "team/tokenvend-", true}, {EnvSecretPrefix, "a b", false},
		{EnvSecretPrefix, strings.Repeat("a", 201), false},
		{EnvSealKey, "", false}, {EnvSealID, "", false}, {EnvTable, "", false},
	} {
		_, err := read(environment(map[string]string{c.name: c.value}))
		if (err == nil) != c.ok || err != nil && !strings.HasPrefix(err.Error(), c.name+": expected ") {
			t.Errorf("%s=%q: %v; want it taken: %t", c.name, c.value, err, c.ok)
		}
	}
}

func TestWhatAnUnsetSettingMeans(t *testing.T) {
	s, err := read(environment(nil))
	if err != nil || !s.sealing || s.prefix != "tokenvend/" || s.allowPrivate || s.proxy != nil || s.logLevel != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := read(environment(map[string]string{EnvSealing: "off", EnvSealKey: "", EnvSealID: ""})); err != nil {
		t.Errorf("a key is asked for that seals nothing: %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	const one, all = "http://127.0.0.1:1", "http://127.0.0.1:2"
	for id, variable := range map[string]string{
		dynamodb.ServiceID: "AWS_ENDPOINT_URL_DYNAMODB", kms.ServiceID: "AWS_ENDPOINT_URL_KMS",
		secretsmanager.ServiceID: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
	} {
		for _, c := range []struct {
			changes map[string]string
			at      string
		}{
			{nil, ""},
			{map[string]string{variable: one}, one},
			{map[string]string{"AWS_ENDPOINT_URL": all}, all},
			{map[string]string{variable: one, "AWS_ENDPOINT_URL": all}, one},
			{map[string]string{"AWS_ENDPOINT_URL_LAMBDA": one}, ""},
		} {
			at, found, err := endpoints{getenv: environment(c.changes)}.GetServiceBaseEndpoint(t.Context(), id)
			if at != c.at || found != (c.at != "") || err != nil {
				t.Errorf("%s with %v: %q, %t, %v; want %q", id, c.changes, at, found, err, c.at)
			}
		}
	}
}

func TestTheTableIsAskedOnceBeforeTheFirstCaller(t *testing.T) {
	var asked []string
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("X-Amz-Target"))
		_, _ = io.WriteString(w, "{}")
	}))
	defer table.Close()
	if _, err := Vend(t.Context(), Process{Log: io.Discard, Getenv: environment(map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": table.URL,
	})}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked, []string{"DynamoDB_20120810.GetItem"}) {
		t.Errorf("asked %v", asked)
	}
}

func TestAFunctionStartsWithoutItsTable(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then the server does not see that the client is gone
		<-r.Context().Done()
	}))
	defer silent.Close()
	for _, at := range []string{"http://127.0.0.1:1", silent.URL} {
		began := time.Now()
		_, err := Rotate(t.Context(), Process{
			Log: io.Discard, Getenv: environment(map[string]string{"AWS_ENDPOINT_URL": at}),
		})
		if took := time.Since(began); err != nil || took > connectWithin+time.Second {
			t.Errorf("%s: %v after %v", at, err, took)
		}
	}
}
