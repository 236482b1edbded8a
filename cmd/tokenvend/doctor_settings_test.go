package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/pkg/boot"
)

// set sets the environment of the stack's function.
func (c *clinic) set(table, prefix string) {
	c.Helper()
	_, err := c.lambda.UpdateFunctionConfiguration(c.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(stackFunction), Environment: environmentOf(table, prefix),
	})
	c.must(err)
}

func environmentOf(table, prefix string) *types.Environment {
	return &types.Environment{Variables: map[string]string{boot.EnvTable: table, boot.EnvSecretPrefix: prefix}}
}

// describing is a DynamoDB that describes a table.
func (c *clinic) describing(protected, recoverable, expires bool) {
	c.Helper()
	word := map[bool]string{true: "ENABLED", false: "DISABLED"}
	truth := map[bool]string{true: "true", false: "false"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, map[string]string{
			"DescribeTable": `{"Table":{"DeletionProtectionEnabled":` + truth[protected] + `}}`,
			"DescribeContinuousBackups": `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED",` +
				`"PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"` + word[recoverable] + `"}}}`,
			"DescribeTimeToLive": `{"TimeToLiveDescription":{"AttributeName":"forget_at","TimeToLiveStatus":"` +
				word[expires] + `"}}`,
		}[action])
	}))
	c.Cleanup(server.Close)
	c.env = append(c.env, "AWS_ENDPOINT_URL_DYNAMODB="+server.URL)
}

func TestDoctorFindsUnprotectedTable(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.set("tokens", "tokenvend/")
	c.describing(true, true, true)
	d := c.doctor(clierror.OK)
	d.has(t, checks.Fine, "table", "tokens exists")
	d.has(t, checks.Fine, "prefix", "tokenvend/; 1 functions")
	if d.Warnings != 0 {
		t.Errorf("doctor of a sound stack = %+v, want no warning", d)
	}
	c.describing(false, false, false)
	d = c.doctor(clierror.OK)
	d.has(t, checks.Warning, "table", "no deletion protection", "DeletionProtection=on")
	d.has(t, checks.Warning, "table", "no point-in-time recovery", "update-continuous-backups")
	d.has(t, checks.Warning, "table", "rows that are no longer needed", "update-time-to-live")
}

func TestDoctorFindsOverlappingPrefixes(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.set("tokens", "tokenvend/")
	c.describing(true, true, true)
	role := c.role("other", `[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]`)
	for name, environment := range map[string]*types.Environment{
		"same-stack": environmentOf("tokens", "tokenvend/"), "apart": environmentOf("other", "tokens/"),
		"inner": environmentOf("other", "tokenvend/team/"), "outer": environmentOf("third", "token"), "foreign": nil,
	} {
		_, err := c.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: aws.String(name), Role: &role, Runtime: types.RuntimeProvidedal2023,
			Handler: aws.String("bootstrap"), Code: &types.FunctionCode{ZipFile: empty(t)}, Environment: environment,
		})
		c.must(err)
	}
	d := c.doctor(clierror.OK)
	d.has(t, checks.Warning, "prefix", "the function inner", "tokenvend/team/", "SecretPrefix")
	d.has(t, checks.Warning, "prefix", "the function outer")
	if d.Warnings != 2 {
		t.Errorf("doctor = %+v, want 2 warnings", d)
	}
}

func TestDoctorComparesThePublishedVersion(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.set("tokens", "tokenvend/")
	c.describing(true, true, true)
	version, err := c.lambda.PublishVersion(t.Context(),
		&lambda.PublishVersionInput{FunctionName: aws.String(stackFunction)})
	c.must(err)
	_, err = c.lambda.DeleteAlias(t.Context(),
		&lambda.DeleteAliasInput{FunctionName: aws.String(stackFunction), Name: aws.String("api")})
	c.must(err)
	c.alias("api", *version.Version)
	c.doctor(clierror.OK).has(t, checks.Fine, "alias api", "version "+*version.Version+", the last deployment")
	c.set("tokens", "tokenvend/a/")
	c.doctor(clierror.OK).has(t, checks.Warning, "alias api", "are not those of the last deployment", "another Release")
}
