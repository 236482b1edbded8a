package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/auditlog"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/journal"
)

// keepLog puts what vend logs from now on into the log group of the function,
// when the result is called.
func (c *clinic) keepLog() (put func()) {
	c.Helper()
	logs := cloudwatchlogs.NewFromConfig(c.account)
	group := aws.String("/aws/lambda/" + stackFunction)
	_, err := logs.CreateLogGroup(c.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	c.must(err)
	var log lockedBuffer
	c.service.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(&log, nil))}
	return func() {
		c.Helper()
		in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: aws.String("one")}
		for line := range strings.Lines(log.String()) {
			in.LogEvents = append(in.LogEvents, types.InputLogEvent{
				Message: aws.String(line), Timestamp: aws.Int64(time.Now().UnixMilli()),
			})
		}
		_, err := logs.PutLogEvents(c.Context(), in)
		c.must(err)
	}
}

// usage returns the callers that usage prints as JSON.
func readUsage(t *testing.T, r ran) []auditlog.Caller {
	t.Helper()
	var found struct {
		Credential string
		Callers    []auditlog.Caller
	}
	if err := json.Unmarshal([]byte(r.want(t, clierror.OK).out), &found); err != nil || found.Credential != "minut" {
		t.Fatalf("usage minut = %s, %v, want JSON", r.out, err)
	}
	return found.Callers
}

func TestUsageOfAStack(t *testing.T) {
	c := newGrantingClinic(t)
	c.env = append(c.env, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS="+*c.account.BaseEndpoint)
	c.put("minut", "minut", `quota={"requests":1,"per":"month"}`)
	c.put("monta", "monta")
	c.direct("", "usage", "minut").
		want(t, clierror.Failed, "logs:StartQuery on /aws/lambda/"+stackFunction+" failed (ResourceNotFoundException)")
	put := c.keepLog()
	for range 3 {
		c.direct("", "get", "minut").want(t, clierror.OK)
	}
	c.direct("", "get", "monta").want(t, clierror.OK)
	c.direct("", "status", "minut").want(t, clierror.OK)
	c.direct("", "get", "minut", "--scope", "no-such").want(t, clierror.Refused)
	put()
	r := c.direct("", "usage", "minut", "--json")
	r.wantOut(t, clierror.OK, `"quota": { "used": 1, "requests": 1, "per": "month", "until": "20`)
	got := readUsage(t, r)
	if len(got) != 1 || got[0].Caller != "alias:admin" || got[0].Tokens != 3 || got[0].Refusals != 1 ||
		time.Since(got[0].LastAt).Abs() > time.Minute {
		t.Errorf("usage minut = %+v, want 3 tokens and a refusal of alias:admin just now", got)
	}
	r = c.direct("", "usage", "minut")
	r.wantOut(t, clierror.OK, "CALLER TOKENS REFUSALS LAST\nalias:admin 3 1 ")
	r.wantOut(t, clierror.OK, "quota: 1 of 1 this month")
	c.direct("", "usage", "minut", "--output", "yaml").wantOut(t, clierror.OK, "tokens: 3")
	r = c.direct("", "usage", "other")
	r.wantOut(t, clierror.OK, "other: no request in the log since 20")
	if strings.Contains(r.out+r.err, "quota") {
		t.Errorf("usage other = %s%s, want nothing of a quota", r.out, r.err)
	}
	c.direct("", "usage", "other", "--json").wantOut(t, clierror.OK, `"callers": []`)
}

func TestUsageOfAServerOnThisMachine(t *testing.T) {
	dir := t.TempDir()
	s := demo(t, dir)
	for range 2 {
		tv(t, dir, "", "get", "minut").want(t, clierror.OK)
	}
	s.end(t, os.Interrupt)
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(s.log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for stdin, from := range map[string]string{"": log, s.log.String(): "-"} {
		got := readUsage(t, tv(t, dir, stdin, "usage", "minut", "--log", from, "--json"))
		if len(got) != 1 || got[0].Tokens != 2 || !strings.HasPrefix(got[0].Caller, "arn:") {
			t.Errorf("usage minut --log %s = %+v, want 2 tokens of one caller in %s", from, got, s.log.String())
		}
	}
}

func TestUsageSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	tv(t, dir, "", "usage").want(t, clierror.BadUsage, "expected the name of one credential")
	tv(t, dir, "", "usage", "minut").want(t, clierror.BadUsage, "--log is needed", "--function names the vend function")
	tv(t, dir, "", "usage", "minut", "--log", "-", "--since", "0").want(t, clierror.BadUsage, "--since: expected")
	tv(t, dir, "", "usage", "minut", "--log", "nosuch").want(t, clierror.Failed, "--log: open nosuch")
	tv(t, dir, "", "usage", "minut", "--log", "-", "--function", "f").want(t, clierror.BadUsage)
	env := []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}
	tvEnv(t, dir, "", env, "usage", "minut", "--url", "https://example.com").
		want(t, clierror.BadUsage, "--function is needed")
}
