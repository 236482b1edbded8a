package auditlog

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// Stack is the log group of a stack's vend function.
type Stack struct {
	Logs  *cloudwatchlogs.Client
	Group string
}

// maxResults is the maximum of a query's results.
const maxResults = 10_000

// poll is how often a query is asked for its results.
const poll = time.Second

// Query counts the requests for a credential since a time, by a query of
// CloudWatch Logs Insights. It reports false for complete if there are more
// callers than a query returns.
func (s Stack) Query(ctx context.Context, credential string, since time.Time) (all []Caller, complete bool, err error) {
	const action = "logs:StartQuery"
	out, err := s.Logs.StartQuery(ctx, &cloudwatchlogs.StartQueryInput{
		LogGroupName: &s.Group, QueryString: aws.String(queryFor(credential)),
		StartTime: aws.Int64(since.Unix()), EndTime: aws.Int64(time.Now().Unix()),
	})
	if err != nil {
		return nil, false, clierror.AWS(action, s.Group, err)
	}
	results, err := s.results(ctx, out.QueryId)
	if err != nil {
		return nil, false, err
	}
	found := tally{}
	for _, row := range results {
		values := map[string]string{}
		for _, field := range row {
			values[aws.ToString(field.Field)] = aws.ToString(field.Value)
		}
		lines, err := strconv.Atoi(values["requests"])
		if err != nil {
			return nil, false, fmt.Errorf("%s on %s: a result without a number of requests", action, s.Group)
		}
		found.add(values["caller"], values["msg"], lines, timeOf(values["newest"]))
	}
	return found.callers(), len(results) < maxResults, nil
}

// queryFor returns the query for a credential's valid name.
func queryFor(credential string) string {
	return fmt.Sprintf(`filter credential = "%s" and (msg = "%s" or msg = "%s" and action = "%[2]s")`+
		` | stats count(*) as requests, max(@timestamp) as newest by caller, msg`+
		` | sort requests desc | limit %[4]d`, credential, vended, refused, maxResults)
}

// results waits for the results of a query.
func (s Stack) results(ctx context.Context, id *string) ([][]types.ResultField, error) {
	const action = "logs:GetQueryResults"
	for {
		out, err := s.Logs.GetQueryResults(ctx, &cloudwatchlogs.GetQueryResultsInput{QueryId: id})
		if err != nil {
			return nil, clierror.AWS(action, s.Group, err)
		}
		switch out.Status {
		case types.QueryStatusComplete:
			return out.Results, nil
		case types.QueryStatusScheduled, types.QueryStatusRunning:
		default:
			return nil, fmt.Errorf("the query of %s ended as %s: try again, or a shorter time with --since",
				s.Group, out.Status)
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// timeOf reads the time of a result: milliseconds since 1970, or a time in UTC.
// The zero time stands for anything else.
func timeOf(text string) time.Time {
	if ms, err := strconv.ParseFloat(text, 64); err == nil {
		return time.UnixMilli(int64(ms)).UTC()
	}
	at, _ := time.Parse("2006-01-02 15:04:05.000", text)
	return at
}
