// Package logs stands in for Amazon CloudWatch Logs in tests: log groups in
// memory, and the one query that tokenvend makes. What it does not implement is
// an error. No emulator evaluates queries, so it is compared with none.
package logs

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// Server is the CloudWatch Logs of one account in one region.
type Server struct {
	mu      sync.Mutex
	groups  map[string][]event
	queries map[string]*query
}

// event is one line of a log group.
type event struct {
	Timestamp int64 // in milliseconds
	Message   string
}

// query is one that was started.
type query struct {
	results []row
	asked   bool // its results were asked for once
}

// row is a result: the fields in the order of the query.
type row []field

type field struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Serve answers one request, whose body is given.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	wire.JSON{ContentType: "application/x-amz-json-1.1", Lock: &s.mu, Actions: map[string]wire.Action{
		"CreateLogGroup":  wire.On(s.createGroup),
		"PutLogEvents":    wire.On(s.put),
		"StartQuery":      wire.On(s.start),
		"GetQueryResults": wire.On(s.get),
	}}.Serve(w, r, body)
}

func missing() *wire.Error {
	return wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
}

func (s *Server) createGroup(in *struct{ LogGroupName string }) (any, error) {
	if _, there := s.groups[in.LogGroupName]; there {
		return nil, wire.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	if s.groups == nil {
		s.groups, s.queries = map[string][]event{}, map[string]*query{}
	}
	s.groups[in.LogGroupName] = nil
	return struct{}{}, nil
}

// put adds lines to a group. Streams need not be created.
func (s *Server) put(in *struct {
	LogGroupName, LogStreamName string
	LogEvents                   []event
},
) (any, error) {
	if _, there := s.groups[in.LogGroupName]; !there {
		return nil, missing()
	}
	s.groups[in.LogGroupName] = append(s.groups[in.LogGroupName], in.LogEvents...)
	return struct{}{}, nil
}

// known matches the query of tokenvend usage, and captures the credential.
var known = regexp.MustCompile(`^filter credential = "([a-z0-9_-]+)" ` +
	`and \(msg = "vend" or msg = "refusal" and action = "vend"\) ` +
	`\| stats count\(\*\) as requests, max\(@timestamp\) as newest by caller, msg ` +
	`\| sort requests desc \| limit 10000$`)

func (s *Server) start(in *struct {
	LogGroupName, QueryString string
	StartTime, EndTime        int64 // in seconds
},
) (any, error) {
	events, there := s.groups[in.LogGroupName]
	if !there {
		return nil, missing()
	}
	found := known.FindStringSubmatch(in.QueryString)
	if found == nil || in.StartTime > in.EndTime {
		return nil, wire.Errorf("MalformedQueryException", "the stand-in implements no query %s", in.QueryString)
	}
	events = slices.Clone(events)
	events = slices.DeleteFunc(events, func(e event) bool {
		return e.Timestamp < in.StartTime*1000 || e.Timestamp >= (in.EndTime+1)*1000
	})
	id := strconv.Itoa(len(s.queries) + 1)
	s.queries[id] = &query{results: count(events, found[1])}
	return map[string]string{"queryId": id}, nil
}

// count counts the vends of a credential by caller and msg, as the query does.
func count(events []event, credential string) (results []row) {
	type group struct{ caller, msg string }
	type counted struct {
		lines  int
		newest int64
	}
	groups := map[group]counted{}
	for _, e := range events {
		var line struct{ Msg, Action, Caller, Credential string }
		_ = json.Unmarshal([]byte(e.Message), &line) // lines of others have none of these
		isVend := line.Msg == "vend" || line.Msg == "refusal" && line.Action == "vend"
		if !isVend || line.Credential != credential {
			continue
		}
		c := groups[group{line.Caller, line.Msg}]
		groups[group{line.Caller, line.Msg}] = counted{c.lines + 1, max(c.newest, e.Timestamp)}
	}
	for _, g := range slices.SortedFunc(maps.Keys(groups), func(a, b group) int {
		return cmp.Compare(groups[b].lines, groups[a].lines)
	}) {
		results = append(results, row{
			{"caller", g.caller}, {"msg", g.msg}, {"requests", strconv.Itoa(groups[g].lines)},
			{"newest", time.UnixMilli(groups[g].newest).UTC().Format("2006-01-02 15:04:05.000")},
		})
	}
	return results
}

// get returns the results of a query, which runs while it is asked for the
// first time.
func (s *Server) get(in *struct{ QueryId string }) (any, error) {
	q := s.queries[in.QueryId]
	switch {
	case q == nil:
		return nil, wire.Errorf("ResourceNotFoundException", "The specified query does not exist.")
	case !q.asked:
		q.asked = true
		return map[string]any{"status": "Running", "results": []row{}}, nil
	}
	return map[string]any{"status": "Complete", "results": q.results}, nil
}
