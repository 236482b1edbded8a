package standin_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	gone    = "ResourceNotFoundException"
	invalid = "InvalidParameterException"
	request = "InvalidRequestException"
)

// secrets is the Secrets Manager of an empty account.
type secrets struct{ service }

func onEachSecretsManager(t *testing.T, test func(t *testing.T, s secrets)) {
	onEachAccount(t, "secretsmanager", "secretsmanager", func(t *testing.T, s service) { test(t, secrets{s}) })
}

// value returns the text of a secret in a stage, or an error's code.
func (s secrets) value(id, stage string) string {
	s.t.Helper()
	a := s.call("GetSecretValue", `{"SecretId":"`+id+`","VersionStage":"`+stage+`"}`)
	text, _ := a.members["SecretString"].(string)
	return a.code + text
}

// wants checks the texts in the three stages, and that DescribeSecret agrees.
func (s secrets) wants(id, current, pending, previous string) {
	s.t.Helper()
	stages := 0
	for stage, want := range map[string]string{"AWSCURRENT": current, "AWSPENDING": pending, "AWSPREVIOUS": previous} {
		if want == "" {
			want = gone
		} else {
			stages++
		}
		if got := s.value(id, stage); got != want {
			s.t.Errorf("GetSecretValue(%s, %s) = %q, want %q", id, stage, got, want)
		}
	}
	got, _ := s.must("DescribeSecret", `{"SecretId":"`+id+`"}`)["VersionIdsToStages"].(map[string]any)
	n := 0
	for _, one := range got {
		n += len(one.([]any))
	}
	if n != stages {
		s.t.Errorf("DescribeSecret(%s) tells of the stages %v, want %d", id, got, stages)
	}
}

func (s secrets) create(name, text string) (version string) {
	s.t.Helper()
	out := s.must(
		"CreateSecret", `{"Name":"`+name+`","SecretString":"`+text+`","ClientRequestToken":"`+token(name+text)+`"}`,
	)
	version, _ = out["VersionId"].(string)
	return version
}

// token is a ClientRequestToken, which has at least 32 characters.
func token(text string) string { return text + strings.Repeat("-", 40-len(text)) }

func (s secrets) put(id, text, stages string) (version string) {
	s.t.Helper()
	out := s.must(
		"PutSecretValue",
		`{"SecretId":"`+id+`","SecretString":"`+text+`","ClientRequestToken":"`+token(id+text)+`"`+stages+`}`,
	)
	version, _ = out["VersionId"].(string)
	return version
}

func TestStagesOfASecret(t *testing.T) {
	onEachSecretsManager(t, func(t *testing.T, s secrets) {
		one := s.create("a", "one")
		s.wants("a", "one", "", "")
		two := s.put("a", "two", "")
		s.wants("a", "two", "", "one")
		three := s.put("a", "three", `,"VersionStages":["AWSPENDING"]`)
		s.wants("a", "two", "three", "one")
		s.must(
			"UpdateSecretVersionStage",
			`{"SecretId":"a","VersionStage":"AWSCURRENT","RemoveFromVersionId":"`+two+`","MoveToVersionId":"`+three+
				`"}`,
		)
		s.wants("a", "three", "three", "two")
		s.must(
			"UpdateSecretVersionStage",
			`{"SecretId":"a","VersionStage":"AWSPENDING","RemoveFromVersionId":"`+three+`"}`,
		)
		s.wants("a", "three", "", "two")
		if one == two || two == three || one == "" {
			t.Errorf("the versions are %q, %q and %q, want three", one, two, three)
		}
		if got, _ := s.must(
			"GetSecretValue", `{"SecretId":"a","VersionId":"`+two+`"}`,
		)["SecretString"].(string); got != "two" {
			t.Errorf("GetSecretValue of the version before = %q, want two", got)
		}
		s.want(gone, "GetSecretValue", `{"SecretId":"a","VersionId":"`+token("no")+`"}`)
	})
}

func TestSecretsAndTheirNames(t *testing.T) {
	onEachSecretsManager(t, func(t *testing.T, s secrets) {
		s.create("a/b", "one")
		arn, _ := s.must("DescribeSecret", `{"SecretId":"a/b"}`)["ARN"].(string)
		if !strings.Contains(arn, ":secret:a/b-") || s.value(arn, "AWSCURRENT") != "one" {
			t.Errorf("the secret a/b has the ARN %q, under which is %q", arn, s.value(arn, "AWSCURRENT"))
		}
		s.want(
			"ResourceExistsException", "CreateSecret",
			`{"Name":"a/b","SecretString":"two","ClientRequestToken":"`+token("other")+`"}`,
		)
		s.want(invalid, "CreateSecret", `{"Name":"short","SecretString":"x","ClientRequestToken":"0123456789"}`)
		if !s.moto() { // which takes every name
			for _, name := range []string{"a b", "a:b", "tokenvend/é", strings.Repeat("n", 513)} {
				s.want("ValidationException", "CreateSecret", `{"Name":"`+name+`","SecretString":"x","ClientRequestToken":"`+token("n")+`"}`)
			}
		}
		s.want(gone, "GetSecretValue", `{"SecretId":"a"}`)
		s.want(gone, "DescribeSecret", `{"SecretId":"A/b"}`)
		s.want(gone, "PutSecretValue", `{"SecretId":"a","SecretString":"x","ClientRequestToken":"`+token("x")+`"}`)
		s.want(gone, "DeleteSecret", `{"SecretId":"a"}`)
		out := s.must("CreateSecret", `{"Name":"binary","SecretBinary":"AAEC","ClientRequestToken":"`+token("b")+`"}`)
		if got := s.must("GetSecretValue", `{"SecretId":"binary"}`); got["SecretBinary"] != "AAEC" ||
			got["SecretString"] != nil || out["VersionId"] == nil {
			t.Errorf("GetSecretValue of a binary secret = %v", got)
		}
		s.must("CreateSecret", `{"Name":"empty","ClientRequestToken":"`+token("e")+`"}`)
		s.want(gone, "GetSecretValue", `{"SecretId":"empty","VersionStage":"AWSCURRENT"}`)
		s.must(
			"CreateSecret",
			`{"Name":"keyed","KmsKeyId":"alias/own","SecretString":"x","ClientRequestToken":"`+token("k")+`"}`,
		)
		if got := s.must("DescribeSecret", `{"SecretId":"keyed"}`)["KmsKeyId"]; got != "alias/own" {
			t.Errorf("KmsKeyId = %v, want alias/own", got)
		}
	})
}

func TestDeletionOfASecret(t *testing.T) {
	onEachSecretsManager(t, func(t *testing.T, s secrets) {
		s.create("a", "one")
		s.want(invalid, "DeleteSecret", `{"SecretId":"a","RecoveryWindowInDays":6}`)
		s.want(invalid, "DeleteSecret", `{"SecretId":"a","RecoveryWindowInDays":31}`)
		s.want(invalid, "DeleteSecret", `{"SecretId":"a","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`)
		s.must("DeleteSecret", `{"SecretId":"a","RecoveryWindowInDays":7}`)
		if s.must("DescribeSecret", `{"SecretId":"a"}`)["DeletedDate"] == nil {
			t.Error("DescribeSecret tells no DeletedDate")
		}
		s.want(request, "GetSecretValue", `{"SecretId":"a"}`)
		if !s.moto() { // which stores it
			s.want(
				request, "PutSecretValue",
				`{"SecretId":"a","SecretString":"two","ClientRequestToken":"`+token("two")+`"}`,
			)
		}
		if got := s.names(`{}`); len(got) != 0 {
			t.Errorf("ListSecrets shows %v, which is marked for deletion", got)
		}
		s.must("RestoreSecret", `{"SecretId":"a"}`)
		if got := s.value("a", "AWSCURRENT"); got != "one" {
			t.Errorf("after RestoreSecret is %q, want one", got)
		}
		s.must("DeleteSecret", `{"SecretId":"a","ForceDeleteWithoutRecovery":true}`)
		s.want(gone, "DescribeSecret", `{"SecretId":"a"}`)
		s.want(gone, "RestoreSecret", `{"SecretId":"a"}`)
		s.must("DeleteSecret", `{"SecretId":"a","ForceDeleteWithoutRecovery":true}`)
		s.create("a", "again")
		s.wants("a", "again", "", "")
	})
}

// names returns the names in one page of a list, sorted.
func (s secrets) names(body string) []string {
	s.t.Helper()
	return namesOf(s.must("ListSecrets", body))
}

func namesOf(page map[string]any) (names []string) {
	list, _ := page["SecretList"].([]any)
	for _, one := range list {
		names = append(names, one.(map[string]any)["Name"].(string))
	}
	slices.Sort(names)
	return names
}

func TestListOfSecrets(t *testing.T) {
	onEachSecretsManager(t, func(t *testing.T, s secrets) {
		for _, name := range []string{"tv/a", "tv/b", "tv-other/a", "a/tv/b", "Tv/a"} {
			s.create(name, "x")
		}
		// Services differ in whether a prefix is case-sensitive.
		got := s.names(`{"Filters":[{"Key":"name","Values":["tv/"]}]}`)
		if got = slices.DeleteFunc(got, func(name string) bool {
			return name == "Tv/a"
		}); !slices.Equal(got, []string{"tv/a", "tv/b"}) {
			t.Errorf("ListSecrets with the prefix tv/ = %v", got)
		}
		list := s.must("ListSecrets", `{"Filters":[{"Key":"name","Values":["tv/a"]}]}`)["SecretList"].([]any)
		stages := fmt.Sprint(list[0].(map[string]any)["SecretVersionsToStages"])
		if !strings.Contains(stages, "[AWSCURRENT]") {
			t.Errorf("ListSecrets tells of the stages %s", stages)
		}
		var all []string
		next, pages := "", 0
		for pages = range 10 {
			page := s.must("ListSecrets", `{"MaxResults":2`+next+`}`)
			all = append(all, namesOf(page)...)
			token, more := page["NextToken"].(string)
			if !more || token == "" {
				break
			}
			text, _ := json.Marshal(token)
			next = `,"NextToken":` + string(text)
		}
		slices.Sort(all)
		if want := []string{"Tv/a", "a/tv/b", "tv-other/a", "tv/a", "tv/b"}; !slices.Equal(all, want) || pages != 2 {
			t.Errorf("ListSecrets by two = %v in %d pages, want %v in 3", all, pages+1, want)
		}
	})
}

func TestOrderOfSecrets(t *testing.T) {
	onEachSecretsManager(t, func(t *testing.T, s secrets) {
		if s.moto() { // which lists them in the order of their creation, whatever is asked
			return
		}
		for _, name := range []string{"b", "c", "a", "d"} {
			s.create(name, "x")
		}
		s.put("b", "y", "")
		s.must("DeleteSecret", `{"SecretId":"c"}`)
		for body, want := range map[string]string{
			`{"SortBy":"name","SortOrder":"asc"}`:                                             "[a b d]",
			`{"SortBy":"last-changed-date","SortOrder":"desc"}`:                               "[b d a]",
			`{"SortBy":"last-changed-date","SortOrder":"desc","IncludePlannedDeletion":true}`: "[c b d a]",
		} {
			var names []string
			for _, one := range s.must("ListSecrets", body)["SecretList"].([]any) {
				names = append(names, one.(map[string]any)["Name"].(string))
			}
			if got := fmt.Sprint(names); got != want {
				t.Errorf("ListSecrets(%s) = %s, want %s", body, got, want)
			}
		}
	})
}
