package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// addSecret adds secrets that no output may show.
func (h *installation) addSecret(what string, secrets ...string) { h.leaks.Hush(h.t, what, secrets...) }

// recordAnswer keeps an answer for the search at the end. Its token and the
// values beside it are added to the secrets, and each is removed once: it must
// not be there a second time.
func (h *installation) recordAnswer(answer []byte, failed *testbed.FunctionError) {
	h.t.Helper()
	if failed != nil {
		answer = []byte(failed.ErrorType + " " + failed.ErrorMessage)
	}
	var over reply
	var vended api.Token
	body := answer
	if json.Unmarshal(answer, &over) == nil && over.Body != "" {
		body = []byte(over.Body)
	}
	if json.Unmarshal(body, &vended) == nil && vended.AccessToken != "" {
		h.addSecret("an access token", vended.AccessToken)
		body = bytes.Replace(body, []byte(vended.AccessToken), nil, 1)
		for _, value := range vended.Extra {
			h.addSecret("an extra value", value)
			body = bytes.Replace(body, []byte(value), nil, 1)
		}
		answer = append(append([]byte(strings.Join(flat(over.Headers), " ")), ' '), body...)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(append(h.answers, answer...), '\n')
}

func flat(headers map[string]string) (all []string) {
	for name, value := range headers {
		all = append(all, name+": "+value)
	}
	return all
}

// searchForLeaks looks for every secret in the output and the answers of the
// installation's processes, and in its table.
func (h *installation) searchForLeaks() {
	for _, provider := range h.sim.Providers() {
		h.addSecret("a token", h.sim.IssuedTokens(provider)...)
	}
	for _, p := range h.processes {
		written := p.Output()
		h.leaks.Search(h.t, "the output of a process", []byte(written))
		if strings.Contains(written, "DATA RACE") || strings.Contains(written, "panic") || p.InitErrors() > 0 {
			h.t.Errorf("the output of a process = %s, want no race, panic and failed start", written)
		}
	}
	h.leaks.Search(h.t, "an answer", h.answers)
	h.leaks.Search(h.t, "the table", h.tableBytes())
}

// tableBytes returns all that the table has: names, texts, numbers and bytes.
func (h *installation) tableBytes() (all []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	pages := dynamodb.NewScanPaginator(h.items, &dynamodb.ScanInput{TableName: &h.table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			h.t.Error(err)
			return all
		}
		for _, item := range page.Items {
			for name, value := range item {
				all = append(append(append(append(all, name...), '='), attributeBytes(h.t, value)...), '\n')
			}
		}
	}
	return all
}

// attributeBytes returns the value of an attribute.
func attributeBytes(t *testing.T, v types.AttributeValue) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return []byte(v.Value)
	case *types.AttributeValueMemberN:
		return []byte(v.Value)
	case *types.AttributeValueMemberB:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return nil
	}
	t.Errorf("an attribute has the type %T, want one that can be searched", v)
	return nil
}
