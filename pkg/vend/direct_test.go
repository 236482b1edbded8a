package vend_test

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// What an operation does not take is ignored in a direct invocation: neither
// checked nor looked at when the caller is admitted.
func TestDirectInvocationIgnoresWhatAnOperationDoesNotTake(t *testing.T) {
	for name, tt := range map[string]struct {
		request api.Request
		says    string
	}{
		"status": {api.Request{Action: api.Status, Credential: "minut", Rejected: "x", Code: "x"}, `"state":"none"`},
		"list":   {api.Request{Action: api.List, Credential: "minut", Scope: "\x07"}, `"credentials":[`},
		"recover": {
			api.Request{Action: api.Recover, Credential: "minut", Recovery: "aHVzaA==", Scope: "\x07"},
			"recovery: it is not a blob",
		},
		"renew": {api.Request{Action: api.Renew, Credential: "minut", Scope: "\x07"}, "scope: expected scopes"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if got, _ := w.answer(":admin", tt.request); !strings.Contains(got, tt.says) {
					t.Errorf("%v is answered with %s, want %s", tt.request, got, tt.says)
				}
			})
		})
	}
}

func TestAnswersHaveTheTypeOfTheOperationsReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, action := range []string{api.Vend, api.Status, api.List, api.Accounts, api.Revoke} {
			o, _ := api.Operations().Operation(action)
			got, err := w.service.Answer(t.Context(), vend.Call{
				Caller:  access.Caller{Via: access.Admin, Alias: "admin"},
				Request: api.Request{Action: action, Credential: "minut"},
			})
			if err != nil || reflect.TypeOf(got) != reflect.TypeOf(o.Reply) {
				t.Errorf("%s is answered with %T, %v, want %T", action, got, err, o.Reply)
			}
		}
	})
}
