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

// hush notes what nothing may ever show.
func (h *house) hush(what string, secrets ...string) { h.leaks.Hush(h.t, what, secrets...) }

// hear keeps an answer for the search at the end. The token that it was meant to carry is noted as a secret, and cut out once: a second time it may not stand there.
func (h *house) hear(answer []byte, failed *testbed.FunctionError) {
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
		h.hush("an access token", vended.AccessToken)
		answer = append(append([]byte(strings.Join(flat(over.Headers), " ")), ' '), bytes.Replace(body, []byte(vended.AccessToken), nil, 1)...)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(append(h.heard, answer...), '\n')
}

func flat(headers map[string]string) (all []string) {
	for name, value := range headers {
		all = append(all, name+": "+value)
	}
	return all
}

// searchEverything looks for every secret in all that this house's processes wrote and answered, and in all that stands in its table, once they are over.
func (h *house) searchEverything() {
	for _, provider := range h.sim.Providers() {
		h.hush("a token", h.sim.IssuedTokens(provider)...)
	}
	for _, p := range h.processes {
		written := p.Output()
		h.leaks.Search(h.t, "the output of a process", []byte(written))
		if strings.Contains(written, "DATA RACE") || strings.Contains(written, "panic") || p.InitErrors() > 0 {
			h.t.Errorf("a process wrote:\n%s", written)
		}
	}
	h.leaks.Search(h.t, "an answer", h.heard)
	h.leaks.Search(h.t, "the table", h.tableBytes())
}

// tableBytes is all that stands in the table: names, texts, numbers and bytes.
func (h *house) tableBytes() (all []byte) {
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

// attributeBytes is what an attribute holds.
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
	t.Errorf("an attribute of type %T is not searched", v)
	return nil
}
