package boot

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// The first start of rotate notes the prefix of the secrets in the table.
// Afterwards no function starts with another prefix, and its log says which to
// set.
func TestTableOfAnotherPrefixIsRefused(t *testing.T) {
	at := testbed.StandIn(t)
	stack := testbed.GoldenTemplate(t)
	account := stack.Account
	endpoint := string(at)
	account.BaseEndpoint = &endpoint
	keys, err := account.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	table := stack.CreateTable(t, dynamodb.NewFromConfig(account))
	start := func(prefix string, rotates bool) (string, error) {
		var log bytes.Buffer
		getenv := environment(map[string]string{
			EnvTable: table, EnvSecretPrefix: prefix, EnvMetrics: "test", "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
			"AWS_ENDPOINT_URL_KMS": endpoint, "AWS_ACCESS_KEY_ID": keys.AccessKeyID,
			"AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": keys.SessionToken,
		})
		var err error
		if rotates {
			_, err = Rotate(t.Context(), Process{Getenv: getenv, Log: &log})
		} else {
			_, err = Vend(t.Context(), Process{Getenv: getenv, Log: &log})
		}
		return log.String(), err
	}
	for _, c := range []struct {
		prefix  string
		rotates bool
		want    string // is set instead; "": it starts
	}{
		{"b/", false, ""}, // vend notes nothing
		{"a/", true, ""}, {"a/", true, ""}, {"a/", false, ""},
		{"b/", true, `"a/"`}, {"b/", false, `"a/"`}, {"a/", true, ""},
	} {
		log, err := start(c.prefix, c.rotates)
		refused := err != nil && strings.Contains(err.Error(), EnvSecretPrefix+": expected "+c.want)
		if refused != (c.want != "") || (err != nil) != refused {
			t.Errorf("start with %s, rotate: %t: %v, want it refused for %s", c.prefix, c.rotates, err, c.want)
		}
		if alarmed := strings.Contains(log, `"StartFailures":1`); alarmed != refused {
			t.Errorf("start with %s: StartFailures is written: %t, want %t: %s", c.prefix, alarmed, refused, log)
		}
	}
}

// Once there were sealed rows, no function starts without sealing, unless the
// setting says that they are given up.
func TestTableWithSealedRowsNeedsSealing(t *testing.T) {
	endpoint := string(testbed.StandIn(t))
	stack := testbed.GoldenTemplate(t)
	account := stack.Account
	account.BaseEndpoint = &endpoint
	keys, err := account.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	table := stack.CreateTable(t, dynamodb.NewFromConfig(account))
	start := func(sealing string) (string, error) {
		var log bytes.Buffer
		_, err := Rotate(t.Context(), Process{Log: &log, Getenv: environment(map[string]string{
			EnvTable: table, EnvSealing: sealing, EnvMetrics: "test", "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
			"AWS_ENDPOINT_URL_KMS": endpoint, "AWS_ACCESS_KEY_ID": keys.AccessKeyID,
			"AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": keys.SessionToken,
		})})
		return log.String(), err
	}
	for i, c := range []struct {
		sealing string
		starts  bool
	}{{"off", true}, {"on", true}, {"off", false}, {"off-over-sealed-rows", true}, {"off", false}, {"on", true}} {
		log, err := start(c.sealing)
		refused := err != nil && strings.Contains(err.Error(), EnvSealing+": expected on, because the table "+table) &&
			strings.Contains(log, `"StartFailures":1`)
		if refused == c.starts || (err == nil) != c.starts {
			t.Errorf("start %d with sealing %s: %v, want it to start: %t", i, c.sealing, err, c.starts)
		}
	}
}
