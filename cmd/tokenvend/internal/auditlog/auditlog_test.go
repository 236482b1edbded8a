package auditlog_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/auditlog"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/journal"
)

// counted returns callers without their times.
func counted(all []auditlog.Caller) []auditlog.Caller {
	for i := range all {
		all[i].LastAt = time.Time{}
	}
	return all
}

func TestReadCountsTheLinesOfAServer(t *testing.T) {
	var log bytes.Buffer
	j := journal.Journal{Log: slog.New(slog.NewTextHandler(&log, nil))}
	hostile := `b" msg=vend credential=minut caller="a` // a caller of another machine can have any name
	for _, v := range []journal.Vend{
		{Action: "vend", Caller: "a", Credential: "minut"},
		{Action: "vend", Caller: hostile, Credential: "minut"},
		{Action: "vend", Caller: hostile, Credential: "minut"},
		{Action: "vend", Caller: "c", Credential: "minut-2"},
		{Action: "status", Caller: "d", Credential: "minut"},
		{Action: "vend", Caller: "a", Credential: "minut", Code: "access_denied", Detail: "why = \"so\""},
		{Action: "status", Caller: "a", Credential: "minut", Code: "access_denied"},
	} {
		v.Variant, v.Fingerprint, v.Source = "-", "9f86d081884c7d65", "memory"
		j.Vend(t.Context(), v)
	}
	prefixed := "Nov 27 10:00:00 host tokenvend[1]: " + strings.ReplaceAll(
		strings.TrimSuffix(log.String(), "\n"), "\n", "\nNov 27 10:00:00 host tokenvend[1]: ")
	want := []auditlog.Caller{{Caller: "a", Tokens: 1, Refusals: 1}, {Caller: hostile, Tokens: 2}}
	for name, text := range map[string]string{
		"as it is written": log.String(), "by journalctl": prefixed,
		"amid others": "x\n=\n\n" + log.String() + "msg=vend",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := auditlog.Read(strings.NewReader(text), "minut", time.Now().Add(-time.Minute))
			if err != nil || !reflect.DeepEqual(counted(got), want) {
				t.Errorf("Read(%s) = %+v, %v, want %+v", text, got, err, want)
			}
		})
	}
	if got, err := auditlog.Read(&log, "minut", time.Now().Add(time.Minute)); err != nil || len(got) != 0 {
		t.Errorf("Read() of a later time = %+v, %v, want none", got, err)
	}
}

// logsThat returns a stack whose CloudWatch Logs gives each action one of these
// answers, with a status.
func logsThat(t *testing.T, status int, answers map[string]string) auditlog.Stack {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answers[action])
	}))
	t.Cleanup(server.Close)
	return auditlog.Stack{Group: "group", Logs: cloudwatchlogs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})}
}

func TestQueryReadsTimesInBothForms(t *testing.T) {
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	for _, newest := range []string{"2026-11-27 10:00:00.000", "1.7957736E12", "1795773600000"} {
		s := logsThat(t, http.StatusOK, map[string]string{
			"StartQuery": `{"queryId":"1"}`,
			"GetQueryResults": `{"status":"Complete","results":[[{"field":"caller","value":"a"},` +
				`{"field":"msg","value":"vend"},{"field":"requests","value":"7"},` +
				`{"field":"newest","value":"` + newest + `"}]]}`,
		})
		got, complete, err := s.Query(t.Context(), "minut", at.Add(-time.Hour))
		want := []auditlog.Caller{{Caller: "a", Tokens: 7, LastAt: at}}
		if err != nil || !complete || !reflect.DeepEqual(got, want) {
			t.Errorf("Query(%s) = %+v, %t, %v, want %+v", newest, got, complete, err, want)
		}
	}
}

func TestQueryNamesWhatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		answers map[string]string
		want    string
	}{
		"denied": {
			http.StatusBadRequest,
			map[string]string{"StartQuery": `{"__type":"AccessDeniedException","message":"not authorized"}`},
			"IAM does not allow logs:StartQuery on group: not authorized",
		},
		"no group": {
			http.StatusBadRequest,
			map[string]string{"StartQuery": `{"__type":"ResourceNotFoundException","message":"x"}`},
			"logs:StartQuery on group failed (ResourceNotFoundException)",
		},
		"ended": {
			http.StatusOK,
			map[string]string{"StartQuery": `{"queryId":"1"}`, "GetQueryResults": `{"status":"Timeout"}`},
			"the query of group ended as Timeout: try again, or a shorter time with --since",
		},
		"unreadable": {
			http.StatusOK,
			map[string]string{
				"StartQuery":      `{"queryId":"1"}`,
				"GetQueryResults": `{"status":"Complete","results":[[{"field":"caller","value":"a"}]]}`,
			},
			"logs:StartQuery on group: a result without a number of requests",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := logsThat(t, c.status, c.answers).Query(t.Context(), "minut", time.Now().Add(-time.Hour))
			if err == nil || err.Error() != c.want {
				t.Errorf("Query() = %v, want %s", err, c.want)
			}
			if _, ok := err.(*clierror.AWSError); ok != (c.status != http.StatusOK) {
				t.Errorf("Query() = %T, want an error of AWS where AWS refused", err)
			}
		})
	}
}
