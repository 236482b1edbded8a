package signed

import (
	"encoding/json"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// refusal returns the error of an answer that is none. Nothing of a body but a
// problem's own fields gets into it: it may hold a token.
func refusal(answer *http.Response, data []byte) error {
	problem := &api.Error{}
	if json.Unmarshal(data, problem) == nil && problem.Code != "" {
		problem.Allow = answer.Header.Get("Allow")
		return problem
	}
	e := &client.GatewayError{Status: answer.StatusCode, Kind: answer.Header.Get("X-Amzn-Errortype")}
	for _, name := range []string{"Apigw-Requestid", "X-Amzn-Requestid"} {
		if e.RequestID == "" {
			e.RequestID = answer.Header.Get(name)
		}
	}
	return e
}
