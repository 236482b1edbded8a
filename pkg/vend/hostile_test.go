package vend_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// A secret in the wrong field is nobody's to read in the log.
func TestWhatIsNoNameIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t)
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:vend:admin"})
		for _, payload := range []string{`{"credential":"hush/hush"}`, `{"credential":"minut","action":"hush"}`, `{"action":"list","after":"hush/hush"}`, `{"action":"list","credential":"hush/hush"}`} {
			answer, err := c.desk.Invoke(ctx, []byte(payload))
			if err != nil && strings.Contains(err.Error(), "hush") || strings.Contains(string(answer), "hush") {
				t.Errorf("%s: %s %v", payload, answer, err)
			}
		}
		if log := c.log.String(); strings.Contains(log, "hush") || strings.Count(log, "\n") != 4 {
			t.Errorf("the journal has\n%s", log)
		}
	})
}
