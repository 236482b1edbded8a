package credentials

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

func TestCallerPolicy(t *testing.T) {
	const secret = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:tokenvend/x-AbCdEf"
	byURL := connection.Place{
		URL: "https://abc123.execute-api.cn-north-1.amazonaws.com.cn", AWS: aws.Config{Region: "cn-north-1"},
	}
	byName := connection.Place{
		Function: connection.Function{Name: "F", Alias: "admin"}, AWS: aws.Config{Region: "eu-north-1"},
	}
	byARN := byName
	byARN.Function.Account, byARN.Function.Partition = "999900001111", "aws"
	for _, c := range []struct {
		name   string
		place  connection.Place
		secret string
		want   []string
	}{
		{"by URL", byURL, secret, []string{
			`"arn:aws-cn:execute-api:cn-north-1:111122223333:abc123/*/GET/tokens/x"`,
			`"arn:aws-cn:execute-api:cn-north-1:111122223333:abc123/*/POST/tokens/x"`,
			`"aws:amz:cn-north-1:execute-api"`, ` https://abc123.execute-api.cn-north-1.amazonaws.com.cn/tokens/x`,
			`"arn:aws-cn:lambda:cn-north-1:111122223333:function:FUNCTION:c-x"`,
		}},
		{"by name", byName, secret, []string{
			`"arn:aws-cn:lambda:eu-north-1:111122223333:function:F:c-x"`,
			"tokenvend grant x --function F --region eu-north-1 --to ARN",
			":API/*/GET/tokens/x", "https://API.execute-api.eu-north-1.",
		}},
		{"by ARN", byARN, secret, []string{`"arn:aws:lambda:eu-north-1:999900001111:function:F:c-x"`}},
		{"this machine", connection.Place{Data: datafolder.Folder{Path: "d"}}, "", []string{
			`"arn:aws:execute-api:REGION:ACCOUNT:API/*/GET/tokens/x"`, "tokenvend get x",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := callerPolicy(c.place, "x", c.secret)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("callerPolicy(x) = %s\nwant it to have %s", got, want)
				}
			}
			rest := strings.NewReplacer(`{"Version"`, "", `[{"Effect"`, "", "}]}", "").Replace(got)
			if strings.ContainsAny(rest, "{}") {
				t.Errorf("callerPolicy(x) = %s\nwant every {FIELD} filled in", got)
			}
		})
	}
}
