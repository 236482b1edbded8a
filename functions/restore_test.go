package functions_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// restore copies all items of the table into a new one, as an export of
// DynamoDB and an import of it do, and deploys the functions over it.
func (h *installation) restore() {
	h.t.Helper()
	old := h.table
	h.table = h.stack.CreateTable(h.t, h.items)
	pages := dynamodb.NewScanPaginator(h.items, &dynamodb.ScanInput{TableName: &old})
	for pages.HasMorePages() {
		page, err := pages.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, item := range page.Items {
			put := &dynamodb.PutItemInput{TableName: &h.table, Item: item}
			if _, err := h.items.PutItem(h.t.Context(), put); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	h.deploy(h.functions["vend"].Environment[boot.EnvSealID])
}

// What docs/guide/restore.md says: another stack, with the restored table, the
// key and the seal id as parameters, vends the same tokens, and renews grants.
func TestRestoredTableVendsTokensAndGrants(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{Lifetime: 20 * time.Second})
	h.put("miden", "miden", nil)
	h.put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
	h.start("vend")
	h.start("rotate") // notes in the table that it has sealed rows
	token, grant := h.token("miden"), h.connect("trackmania", "ann")

	h.restore()
	h.start("vend")
	h.start("rotate")
	if got := h.token("miden"); got.Fingerprint != token.Fingerprint || h.requests() != 1 {
		t.Errorf("token(miden) after the restore = %s after %d requests, want %s after 1", got.Fingerprint, h.requests(),
			token.Fingerprint)
	}
	got, refused := h.accountToken("trackmania", "ann")
	if refused != nil || got.Fingerprint != grant.Fingerprint {
		t.Errorf("accountToken(ann) after the restore = %s, %v, want %s", got.Fingerprint, refused, grant.Fingerprint)
	}
	time.Sleep(time.Until(got.ExpiresAt))
	got, refused = h.accountToken("trackmania", "ann")
	if refused != nil || got.Fingerprint == grant.Fingerprint {
		t.Errorf("accountToken(ann) later = %s, %v, want another token by the same grant", got.Fingerprint, refused)
	}
}

// The parameters of docs/guide/restore.md reach the functions and their roles,
// and the stack makes neither a table nor a key.
func TestExistingTableAndKey(t *testing.T) {
	t.Parallel()
	const table, key = "restored", "arn:aws:kms:us-east-1:123456789012:key/old"
	given := map[string]any{"ExistingTable": table, "ExistingSealKeyArn": key, "SealId": "old-stack"}
	arn := "arn:aws:dynamodb:us-east-1:123456789012:table/" + table
	for _, name := range []string{"Vend", "Rotate"} {
		environment, _ := testbed.Property(t, name+"Function", "Environment", given).(map[string]any)
		variables, _ := environment["Variables"].(map[string]any)
		for variable, want := range map[string]any{
			boot.EnvTable: table, boot.EnvSealKey: key, boot.EnvSealID: "old-stack", boot.EnvSealing: "on",
		} {
			if got := variables[variable]; got != want {
				t.Errorf("%sFunction has %s = %v, want %v", name, variable, got, want)
			}
		}
		resources := resourcesOf(t, name+"Role", given)
		want := map[string]any{"Table": arn, "Seal": key}
		if name == "Rotate" {
			want["Index"] = []any{arn + "/index/due", arn + "/index/queue"}
		}
		for sid, resource := range want {
			if !reflect.DeepEqual(resources[sid], resource) {
				t.Errorf("%sRole allows %s on %v, want %v", name, sid, resources[sid], resource)
			}
		}
	}
	for _, resource := range []string{"TokenTable", "SealKey"} {
		if testbed.HasResource(t, resource, given) || !testbed.HasResource(t, resource, nil) {
			t.Errorf("%s is made: %t with parameters, %t without, want false and true", resource,
				testbed.HasResource(t, resource, given), testbed.HasResource(t, resource, nil))
		}
	}
	if testbed.HasResource(t, "SealKey", map[string]any{"Sealing": "off"}) {
		t.Error("SealKey is made with Sealing off, want none")
	}
}

// resourcesOf returns the resource of each statement of a role, by its Sid.
func resourcesOf(t *testing.T, role string, given map[string]any) map[string]any {
	t.Helper()
	found := map[string]any{}
	policies, _ := testbed.Property(t, role, "Policies", given).([]any)
	for _, p := range policies {
		document, _ := p.(map[string]any)["PolicyDocument"].(map[string]any)
		statements, _ := document["Statement"].([]any)
		for _, s := range statements {
			statement, _ := s.(map[string]any)
			sid, _ := statement["Sid"].(string)
			found[sid] = statement["Resource"]
		}
	}
	return found
}
