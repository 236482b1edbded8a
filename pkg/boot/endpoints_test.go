package boot

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// hosts notes where requests go, and sends none.
type hosts []string

func (h *hosts) Do(r *http.Request) (*http.Response, error) {
	*h = append(*h, r.URL.Host)
	return nil, errors.New("not sent")
}

// The clients go where all AWS tools would, by the process's environment.
func TestClientsObeyTheEndpointVariables(t *testing.T) {
	const one, all = "http://127.0.0.1:1", "http://127.0.0.1:2"
	for name, c := range map[string]struct {
		environment                   map[string]string
		dynamodb, kms, secretsmanager string
	}{
		"none": {
			nil, "dynamodb.us-east-1.amazonaws.com", "kms.us-east-1.amazonaws.com",
			"secretsmanager.us-east-1.amazonaws.com",
		},
		"one for all": {map[string]string{"AWS_ENDPOINT_URL": all}, "127.0.0.1:2", "127.0.0.1:2", "127.0.0.1:2"},
		"one for all, another for KMS": {
			map[string]string{"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_KMS": one},
			"127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:2",
		},
		"ignored": {
			map[string]string{
				"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_KMS": one, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
			},
			"dynamodb.us-east-1.amazonaws.com", "kms.us-east-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com",
		},
		"FIPS": {
			map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"},
			"dynamodb-fips.us-east-1.amazonaws.com", "kms-fips.us-east-1.amazonaws.com",
			"secretsmanager-fips.us-east-1.amazonaws.com",
		},
		"dual-stack": {
			map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"},
			"dynamodb.us-east-1.api.aws", "kms.us-east-1.api.aws", "secretsmanager.us-east-1.amazonaws.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.environment {
				t.Setenv(variable, value) // the SDK looks there too
			}
			s, err := read(environment(c.environment))
			if err != nil {
				t.Fatal(err)
			}
			var got hosts
			cfg := s.config(newDialer())
			cfg.HTTPClient, cfg.Retryer = &got, nil
			_, _ = dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }).
				ListTables(t.Context(), &dynamodb.ListTablesInput{})
			_, _ = kms.NewFromConfig(cfg, func(o *kms.Options) { o.RetryMaxAttempts = 1 }).
				ListKeys(t.Context(), &kms.ListKeysInput{})
			_, _ = secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) { o.RetryMaxAttempts = 1 }).
				ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
			want := []string{c.dynamodb, c.kms, c.secretsmanager}
			for i, host := range want {
				if len(got) != len(want) || got[i] != host {
					t.Fatalf("requests go to %v, want %v", got, want)
				}
			}
		})
	}
}

func TestEndpointOfSTSIsRegional(t *testing.T) {
	for _, c := range []struct {
		region, want    string
		fips, dualStack bool
	}{
		{region: "eu-west-1", want: "https://sts.eu-west-1.amazonaws.com"},
		{region: "us-east-1", want: "https://sts-fips.us-east-1.amazonaws.com", fips: true},
		{region: "eu-west-1", want: "https://sts.eu-west-1.api.aws", dualStack: true},
		{region: "us-gov-west-1", want: "https://sts.us-gov-west-1.amazonaws.com", fips: true},
		{region: "cn-north-1", want: "https://sts.cn-north-1.amazonaws.com.cn"},
	} {
		e := endpoints{getenv: func(string) string { return "" }, fips: c.fips, dualStack: c.dualStack}
		if got := e.sts(t.Context(), c.region); got != c.want {
			t.Errorf("sts(%s, fips %t, dual stack %t) = %s, want %s", c.region, c.fips, c.dualStack, got, c.want)
		}
	}
	named := endpoints{getenv: func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}[name]
	}}
	if got := named.sts(t.Context(), "eu-west-1"); got != "http://127.0.0.1:1" {
		t.Errorf("sts(eu-west-1) with AWS_ENDPOINT_URL_STS = %s, want that", got)
	}
}
