package functions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// The log names the service, the operation, AWS's error code and its request
// id. The answer does not.
func TestLogNamesWhatAWSRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment string // of the functions
		code        api.Code
		cause       string
	}{
		"a deleted table": {"", api.StoreUnavailable, `DynamoDB BatchGetItem: ResourceNotFoundException`},
		"no DynamoDB": {
			"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", api.StoreUnavailable, `DynamoDB BatchGetItem: network`,
		},
		"no name of DynamoDB": {
			"AWS_ENDPOINT_URL_DYNAMODB=http://dynamodb.invalid", api.StoreUnavailable, `DynamoDB BatchGetItem: dns`,
		},
		"no Secrets Manager": {
			"AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:1", api.SecretUnavailable,
			`Secrets Manager GetSecretValue: network`,
		},
		"no KMS": {"AWS_ENDPOINT_URL_KMS=http://127.0.0.1:1", api.SealUnavailable, `KMS GenerateDataKey: network`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newInstallation(t, simulator.Options{})
			h.put("minut", "minut", nil)
			if name == "a deleted table" {
				defer h.withoutTable()()
			}
			p := h.start("vend", c.environment)
			answer, refused := h.direct("admin", api.Request{Credential: "minut"})
			if codeOf(refused) != c.code {
				t.Fatalf("answer = %s, %v, want %s", answer, refused, c.code)
			}
			end := time.Now().Add(5 * time.Second)
			for !strings.Contains(p.Output(), `"cause":`) && time.Now().Before(end) {
				time.Sleep(10 * time.Millisecond) // the line is on its way
			}
			if strings.Contains(refused.Detail, c.cause) || !strings.Contains(p.Output(), `"cause":"`+c.cause) {
				t.Errorf("log = %s, want the cause %q; answer = %v, want it without", p.Output(), c.cause, refused)
			}
		})
	}
}

// withoutTable deletes the table and returns what makes it again, empty.
func (h *installation) withoutTable() (again func()) {
	h.t.Helper()
	if _, err := h.items.DeleteTable(h.t.Context(), &dynamodb.DeleteTableInput{TableName: &h.table}); err != nil {
		h.t.Fatal(err)
	}
	return func() {
		input := *h.stack.Table
		input.TableName = &h.table
		if _, err := h.items.CreateTable(h.t.Context(), &input); err != nil {
			h.t.Error(err)
		}
		exists := dynamodb.NewTableExistsWaiter(h.items, func(o *dynamodb.TableExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
		})
		described := &dynamodb.DescribeTableInput{TableName: &h.table}
		if err := exists.Wait(h.t.Context(), described, time.Minute); err != nil {
			h.t.Error(err)
		}
	}
}
