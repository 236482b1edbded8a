package functions_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// The shapes of an event. Each has a golden event in testdata, for a vend of the credential minut.
const (
	httpAPI   = "http-api"       // payload 2.0, stage $default
	httpStage = "http-api-stage" // payload 2.0, a named stage, which stands in the path
	restAPI   = "rest-api"       // payload 1.0
	direct    = "direct"
)

// reply is what API Gateway gets.
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
}

const none = "none"

// event makes the golden event of a shape one of another call.
func event(t *testing.T, shape string, c call) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(golden(t, shape+".event.json"), &e); err != nil {
		t.Fatal(err)
	}
	context := e["requestContext"].(map[string]any)
	identity, _ := context["identity"].(map[string]any)
	if shape == restAPI {
		e["httpMethod"], e["path"], e["body"] = c.method, c.path, c.body
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
		e["rawPath"], e["rawQueryString"], e["body"] = stage+c.path, c.query, c.body
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

// overAPI sends a call through the API's alias.
func (h *house) overAPI(shape string, c call) reply {
	h.t.Helper()
	return h.eventOn("api", event(h.t, shape, c))
}

// eventOn sends an event of the API's shape to any alias: whoever may invoke the function can.
func (h *house) eventOn(alias string, payload []byte) reply {
	h.t.Helper()
	answer, failed := h.invoke("vend", alias, payload)
	if failed != nil {
		h.t.Errorf("an event of the API's shape got the function error %v", failed)
		return reply{}
	}
	return read[reply](h.t, answer)
}
