package functions_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The shapes of an event. testdata has a golden event of each, for a vend of
// the credential minut.
const (
	httpAPI   = "http-api"       // payload 2.0, stage $default
	httpStage = "http-api-stage" // payload 2.0, a named stage, which is in the path
	restAPI   = "rest-api"       // payload 1.0
	direct    = "direct"
)

// deployment is how an API is reached: a shape of events, and what precedes its
// paths besides a stage.
type deployment struct{ shape, prefix string }

// deployments are the ways in which an API can be deployed.
var deployments = []deployment{
	{httpAPI, ""}, {httpStage, ""}, {restAPI, ""},
	{httpAPI, "/auth/v1"}, // a custom domain with a mapping key
	{restAPI, "/base"},    // a custom domain with a base path
	{restAPI, "/prod"},    // payload 1.0 of an HTTP API with a stage
}

// reply is the response to API Gateway.
type reply struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// call is what a caller of the API sends.
type call struct {
	method, path, query, body string
	arn                       string // the caller's, as the event has it; "": the golden event's; none: no ARN
	prefix                    string // of the deployment
}

const none = "none"

// event returns the golden event of a shape, changed to another call.
func event(t *testing.T, shape string, c call) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(golden(t, shape+".event.json"), &e); err != nil {
		t.Fatal(err)
	}
	context := e["requestContext"].(map[string]any)
	identity, _ := context["identity"].(map[string]any)
	if shape == restAPI {
		e["httpMethod"], e["path"], e["body"] = c.method, c.prefix+c.path, c.body
		e["resource"], e["pathParameters"] = match(c.path)
		if e["resource"] == "" {
			e["resource"] = "/{proxy+}"
			e["pathParameters"] = map[string]string{"proxy": strings.TrimPrefix(c.path, "/")}
		}
		query, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		e["multiValueQueryStringParameters"] = query
	} else {
		stage, _ := context["stage"].(string)
		if stage == "$default" {
			stage = ""
		} else {
			stage = "/" + stage
		}
		e["rawPath"], e["rawQueryString"], e["body"] = c.prefix+stage+c.path, c.query, c.body
		route, parameters := match(c.path)
		e["routeKey"], e["pathParameters"] = c.method+" "+route, parameters
		if route == "" {
			e["routeKey"] = "$default"
		}
		context["http"].(map[string]any)["method"] = c.method
		identity = context["authorizer"].(map[string]any)["iam"].(map[string]any)
	}
	switch c.arn {
	case "":
	case none:
		delete(identity, "userArn")
	default:
		identity["userArn"] = c.arn
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// match returns the route of the template that API Gateway matches with a path,
// and its parameters, decoded; "" if there is none.
func match(path string) (route string, parameters map[string]string) {
	if path == "/tokens" {
		return path, nil
	}
	found := tokenPath.FindStringSubmatch(path)
	if found == nil {
		return "", nil
	}
	value, err := url.PathUnescape(found[1])
	if err != nil {
		return "", nil
	}
	return "/tokens/{credential}" + found[2], map[string]string{"credential": value}
}

var tokenPath = regexp.MustCompile(`^/tokens/([^/]+)(/status|/authorize)?$`)

// overAPI sends a call to the API's alias.
func (h *installation) overAPI(shape string, c call) reply {
	h.t.Helper()
	return h.sendEvent("api", event(h.t, shape, c))
}

// sendEvent sends an event of the API's shape to any alias, as every caller can
// who may invoke the function.
func (h *installation) sendEvent(alias string, payload []byte) reply {
	h.t.Helper()
	answer, failed := h.invoke("vend", alias, payload)
	if failed != nil {
		h.t.Errorf("invoke(event) = the function error %v, want a reply", failed)
		return reply{}
	}
	return read[reply](h.t, answer)
}
