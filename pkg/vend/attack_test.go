package vend_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Whoever may invoke the function writes the event, so the ids in it name
// nothing; and what is long in it stays out of the log.
func TestAttack23_ForgedRequestID(t *testing.T) {
	const forged, invocation = "f0rged-id", "lambda-1"
	long := strings.Repeat(forged, 5<<20/len(forged))
	http := `{"rawPath":%q,"rawQueryString":%q,"requestContext":{"requestId":%q,"http":{"method":"GET"},"authorizer":{"iam":{"userArn":%q}}}}`
	rest := `{"path":%q,"multiValueQueryStringParameters":{"scope":[%q]},"httpMethod":"GET","requestContext":{"requestId":%q,"identity":{"userArn":%q}}}`
	for name, c := range map[string]struct{ alias, payload string }{
		"HTTP API":            {"api", fmt.Sprintf(http, "/tokens/minut", "", forged, anybody)},
		"REST API":            {"api", fmt.Sprintf(rest, "/tokens/minut", "", forged, anybody)},
		"sent directly":       {"admin", fmt.Sprintf(http, "/tokens/minut", "", forged, anybody)},
		"refused":             {"api", fmt.Sprintf(http, "/tokens/movemint", "", forged, anybody)},
		"no such path":        {"api", fmt.Sprintf(http, "/"+long, "", forged, anybody)},
		"a long id":           {"api", fmt.Sprintf(http, "/tokens/minut", "", long, anybody)},
		"a long ARN":          {"api", fmt.Sprintf(http, "/tokens/minut", "", forged, anybody+long)},
		"a long credential":   {"api", fmt.Sprintf(http, "/tokens/"+long, "", forged, anybody)},
		"a long scope":        {"api", fmt.Sprintf(rest, "/tokens/minut", long, forged, anybody)},
		"a long account":      {"api", fmt.Sprintf(http, "/tokens/minut", "account="+long, forged, anybody)},
		"a long parameter":    {"api", fmt.Sprintf(http, "/tokens/minut", long+"=1", forged, anybody)},
		"a direct payload":    {"admin", fmt.Sprintf(`{"credential":"minut","scope":%q}`, strings.Repeat("s", 8000))},
		"a long payload":      {"admin", fmt.Sprintf(`{"credential":%q}`, long)},
		"a field of its name": {"admin", fmt.Sprintf(`{"credential":"minut","request_id":%q}`, forged)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ctx := lambdacontext.NewContext(
					t.Context(),
					&lambdacontext.LambdaContext{
						AwsRequestID:       invocation,
						InvokedFunctionArn: functionARN + ":" + c.alias,
					},
				)
				answer, err := w.service.Invoke(ctx, []byte(c.payload))
				log := w.Log.Take()
				if said := string(answer) + fmt.Sprint(err) + log; strings.Contains(said, forged) {
					t.Errorf("the answer or the log repeats what the event says its id is: %.300s", said)
				}
				if len(log) > 8<<10 {
					t.Errorf("the log took %d bytes, want 8 KiB at most", len(log))
				}
				for _, text := range strings.Split(strings.TrimSpace(log), "\n") {
					var line struct {
						Message   string `json:"msg"`
						RequestID string `json:"request_id"`
					}
					err := json.Unmarshal([]byte(text), &line)
					if err != nil ||
						(line.Message == "vend" || line.Message == "refusal") && line.RequestID != invocation {
						t.Errorf(
							"request_id in the log = %q (%v), want %q: %.300s",
							line.RequestID,
							err,
							invocation,
							text,
						)
					}
				}
			})
		})
	}
}
