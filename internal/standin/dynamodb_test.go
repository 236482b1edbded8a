package standin_test

import (
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

var tables atomic.Int64

// dynamo is a table for one test at one implementation of DynamoDB.
type dynamo struct {
	service
	table string
}

// base is the item at the start of a case, without its key.
const base = `"n":{"N":"5"},"t":{"S":"text"},"b":{"B":"AAEC"},"f":{"BOOL":true},"l":{"L":[{"N":"1"}]},"s":{"SS":["x","y"]},"z":{"NULL":true}`

func onEachDynamoDB(t *testing.T, test func(t *testing.T, d dynamo)) {
	for name, endpoint := range testbed.DynamoDBs() {
		t.Run(name, func(t *testing.T) {
			d := dynamo{
				service: service{
					t: t, endpoint: string(endpoint(t)), name: "dynamodb", target: "DynamoDB_20120810", keys: anybody,
				},
				table: fmt.Sprintf("contract-%d", tables.Add(1)),
			}
			d.must("CreateTable", d.body(`"BillingMode":"PAY_PER_REQUEST",
				"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
				"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
					{"AttributeName":"gh","AttributeType":"N"},{"AttributeName":"gs","AttributeType":"N"}],
				"GlobalSecondaryIndexes":[{"IndexName":"due","KeySchema":[{"AttributeName":"gh","KeyType":"HASH"},{"AttributeName":"gs","KeyType":"RANGE"}],
					"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["n"]}}]`))
			for d.must("DescribeTable", d.body(""))["Table"].(map[string]any)["TableStatus"] != "ACTIVE" {
				time.Sleep(5 * time.Millisecond)
			}
			test(t, d)
		})
	}
}

// deviations lists, by implementation, the requests that it answers differently
// from AWS.
var deviations = map[string]map[string]string{
	"DynamoDBLocal": {
		`"UpdateExpression":"SET a = :v"` + values +
			`{":v":{"S":""}}`: "ValidationException",
		`"UpdateExpression":"SET a = :v"` + values +
			`{":v":{"N":"1.0e2"}}`: "a=1.0e2",
		`"UpdateExpression":"SET gs = :v"` + values +
			`{":v":{"S":"x"}}`: "gs=x",
		`"KeyConditionExpression":"pk = :p AND begins_with(sk, :s)"` + values +
			`{":p":{"S":"p"},":s":{"S":"b"}}`: "B b ba",
	},
	"dynalite": {
		`"UpdateExpression":"REMOVE t","ConditionExpression":"f < :v"` + values +
			`{":v":{"BOOL":true}}`: "ConditionalCheckFailedException",
		key("a") + `,"ReturnValues":"UPDATED_OLD"`: "",
	},
}

// wanted returns the expected answer of this DynamoDB to a request that AWS
// answers with want.
func (d dynamo) wanted(request, want string) string {
	if other, differs := deviations[path.Base(d.t.Name())][request]; differs {
		return other
	}
	return want
}

// body returns a request for the table.
func (d dynamo) body(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"TableName":"` + d.table + `"` + members + `}`
}

func key(name string) string { return `"Key":{"pk":{"S":"` + name + `"},"sk":{"S":"-"}}` }

// put stores the base item under a key.
func (d dynamo) put(name, attributes string) {
	d.t.Helper()
	d.must("PutItem", d.body(`"Item":{"pk":{"S":"`+name+`"},"sk":{"S":"-"},`+attributes+`}`))
}

// item returns the item with a key, without the key.
func (d dynamo) item(name string) map[string]any {
	d.t.Helper()
	found, _ := d.must("GetItem", d.body(`"ConsistentRead":true,`+key(name)))["Item"].(map[string]any)
	delete(found, "pk")
	delete(found, "sk")
	return found
}

// changes returns the changes from one item to another.
func changes(from, to map[string]any) string {
	changed := maps.Clone(to)
	gone := ""
	for name, v := range from {
		if now, there := to[name]; !there {
			gone += " -" + name
		} else if plain(now) == plain(v) {
			delete(changed, name)
		}
	}
	return strings.TrimSpace(compact(changed) + gone)
}

const values = `,"ExpressionAttributeValues":`

// Each case is an update of the base item, or of none, and what it changes, or
// the error code.
func TestUpdateExpressions(t *testing.T) {
	const refused, invalid = "ConditionalCheckFailedException", "ValidationException"
	cases := []struct{ request, want string }{
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"S":"new"}}`, "a=new"},
		{`"UpdateExpression":"set a = :v, t = :v"` + values + `{":v":{"S":"new"}}`, "a=new t=new"},
		{
			`"UpdateExpression":"SET #a = :v","ExpressionAttributeNames":{"#a":"token"}` + values + `{":v":{"N":"1"}}`,
			"token=1",
		},
		{`"UpdateExpression":"SET n = n + :v"` + values + `{":v":{"N":"1.5"}}`, "n=6.5"},
		{`"UpdateExpression":"SET n = n - :v"` + values + `{":v":{"N":"7"}}`, "n=-2"},
		{
			`"UpdateExpression":"SET n = if_not_exists(n, :v), a = if_not_exists(a, :v)"` + values + `{":v":{"N":"9"}}`,
			"a=9",
		},
		{`"UpdateExpression":"SET l = list_append(l, :v)"` + values + `{":v":{"L":[{"N":"2"}]}}`, "l=[1,2]"},
		{`"UpdateExpression":"SET a = t, t = :v"` + values + `{":v":{"S":"later"}}`, "a=text t=later"},
		{`"UpdateExpression":"SET t = :v, a = t"` + values + `{":v":{"S":"later"}}`, "a=text t=later"},
		{`"UpdateExpression":"REMOVE t, nothing"`, "-t"},
		{`"UpdateExpression":"ADD n :v, a :v"` + values + `{":v":{"N":"2"}}`, "a=2 n=7"},
		{`"UpdateExpression":"ADD s :v"` + values + `{":v":{"SS":["y","z"]}}`, "s=[x,y,z]"},
		{`"UpdateExpression":"DELETE s :v"` + values + `{":v":{"SS":["y"]}}`, "s=[x]"},
		{`"UpdateExpression":"DELETE s :v"` + values + `{":v":{"SS":["y","x"]}}`, "-s"},
		{`"UpdateExpression":"SET a = :v REMOVE t ADD n :v"` + values + `{":v":{"N":"1"}}`, "a=1 n=6 -t"},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"S":""}}`, "a="},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"N":"1.0e2"}}`, "a=100"},

		{`"UpdateExpression":"SET token = :v"` + values + `{":v":{"N":"1"}}`, invalid},
		{
			`"UpdateExpression":"SET a = :v, #s = :v","ExpressionAttributeNames":{"#s":"status","#t":"t"}` + values +
				`{":v":{"N":"1"}}`,
			invalid,
		},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"N":"1"},":w":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET a = :w"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET #a = :v"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET a = nothing"`, invalid},
		{`"UpdateExpression":"SET a = :v SET t = :v"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET a = :v REMOVE a"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET a = :v,"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET a :v"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET a = other(n, :v)"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"SET sk = :v"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":"SET n = n + :v"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":"ADD t :v"` + values + `{":v":{"N":"1"}}`, invalid},
		{`"UpdateExpression":"ADD a :v"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":""`, invalid},
		{`"UpdateExpression":"SET gs = :v"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"N":"x"}}`, invalid},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"SS":[]}}`, invalid},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"SS":["x","x"]}}`, invalid},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{}}`, invalid},

		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n = :v"` + values + `{":v":{"N":"5.0"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n = :v"` + values + `{":v":{"S":"5"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n <> :v"` + values + `{":v":{"N":"5"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"nothing <> :v"` + values + `{":v":{"N":"5"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n < :v"` + values + `{":v":{"N":"10"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n < :v"` + values + `{":v":{"N":"5"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n <= :v"` + values + `{":v":{"N":"5"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n <= :v"` + values + `{":v":{"S":"5"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n > :v"` + values + `{":v":{"N":"4"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n >= :v"` + values + `{":v":{"N":"6"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"t > :v"` + values + `{":v":{"S":"Text"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"t > :v"` + values + `{":v":{"N":"1"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"nothing < :v"` + values + `{":v":{"N":"1"}}`, refused},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"n BETWEEN :v AND :w"` + values +
				`{":v":{"N":"5"},":w":{"N":"6"}}`,
			"-t",
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"n IN (:v, :w)"` + values +
				`{":v":{"N":"1"},":w":{"N":"5"}}`,
			"-t",
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"attribute_exists(n) AND attribute_not_exists(nothing)"`,
			"-t",
		},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"attribute_not_exists(n) OR attribute_exists(z)"`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"NOT attribute_exists(n)"`, refused},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"attribute_exists(nothing) AND attribute_exists(n) OR attribute_exists(t)"`,
			"-t",
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"attribute_exists(nothing) AND (attribute_exists(n) OR attribute_exists(t))"`,
			refused,
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"NOT attribute_exists(nothing) AND attribute_exists(t)"`,
			"-t",
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"attribute_type(n, :v)"` + values + `{":v":{"S":"N"}}`,
			"-t",
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"begins_with(t, :v)"` + values + `{":v":{"S":"te"}}`,
			"-t",
		},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"begins_with(t, :v)"` + values + `{":v":{"S":"xt"}}`,
			refused,
		},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"contains(t, :v)"` + values + `{":v":{"S":"ex"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"contains(s, :v)"` + values + `{":v":{"S":"x"}}`, "-t"},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"contains(s, :v)"` + values + `{":v":{"S":"z"}}`,
			refused,
		},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"size(t) = :v"` + values + `{":v":{"N":"4"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"size(b) > :v"` + values + `{":v":{"N":"3"}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"b = :v"` + values + `{":v":{"B":"AAEC"}}`, "-t"},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"f = :v"` + values + `{":v":{"BOOL":false}}`, refused},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"s = :v"` + values + `{":v":{"SS":["y","x"]}}`, "-t"},

		{`"UpdateExpression":"REMOVE t","ConditionExpression":"owner = :v"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n = "`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n = :v AND"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"(n = :v"` + values + `{":v":{"S":"x"}}`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"exists(n)"`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":""`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"(n = :v)"` + values + `{":v":{"N":"5"}}`, "-t"},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"((n = :v) AND (t = :w))"` + values +
				`{":v":{"N":"5"},":w":{"S":"text"}}`,
			"-t",
		},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"((n = :v))"` + values + `{":v":{"N":"5"}}`, invalid},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"n = n"`, invalid},
		{
			`"UpdateExpression":"REMOVE t","ConditionExpression":"n BETWEEN :v AND :w"` + values +
				`{":v":{"N":"6"},":w":{"N":"5"}}`,
			invalid,
		},
		{`"UpdateExpression":"REMOVE t","ConditionExpression":"f < :v"` + values + `{":v":{"BOOL":true}}`, invalid},
		{`"UpdateExpression":"REMOVE t"` + values + `{}`, invalid},
		{`"UpdateExpression":"REMOVE t","ExpressionAttributeNames":{}`, invalid},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"N":"1e126"}}`, invalid},
		{`"UpdateExpression":"SET a = :v"` + values + `{":v":{"N":"1e-131"}}`, invalid},
	}
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		for i, c := range cases {
			name := fmt.Sprintf("item-%d", i)
			d.put(name, base)
			before := d.item(name)
			got := d.call("UpdateItem", d.body(key(name)+","+c.request))
			after, want := changes(before, d.item(name)), d.wanted(c.request, c.want)
			if got.code == "" && after != want || got.code != "" && (got.code != want || after != "") {
				t.Errorf(
					"UpdateItem(%s) = %q %v, and changes %q; want %q", c.request, got.code, got.members["message"],
					after, want,
				)
			}
		}
	})
}

func TestUpdateOfNoItem(t *testing.T) {
	cases := []struct{ request, want string }{
		{
			`"UpdateExpression":"SET a = :v","ConditionExpression":"attribute_not_exists(pk)"` + values +
				`{":v":{"N":"1"}}`,
			"a=1",
		},
		{
			`"UpdateExpression":"SET a = :v","ConditionExpression":"attribute_exists(pk)"` + values +
				`{":v":{"N":"1"}}`,
			"ConditionalCheckFailedException",
		},
		{`"UpdateExpression":"ADD a :v"` + values + `{":v":{"N":"1"}}`, "a=1"},
		{`"UpdateExpression":"SET a = if_not_exists(a, :v)"` + values + `{":v":{"N":"1"}}`, "a=1"},
		{`"UpdateExpression":"SET a = a + :v"` + values + `{":v":{"N":"1"}}`, "ValidationException"},
	}
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		for i, c := range cases {
			name := fmt.Sprintf("none-%d", i)
			got := d.call("UpdateItem", d.body(key(name)+","+c.request))
			if after := got.code + compact(d.item(name)); after != c.want {
				t.Errorf("UpdateItem(%s) of no item = %q %v, want %q", c.request, after, got.members["message"], c.want)
			}
		}
	})
}

func TestReturnValues(t *testing.T) {
	cases := map[string]string{
		"NONE": "", "ALL_OLD": "n=5 pk=a sk=- t=text", "ALL_NEW": "n=6 pk=a sk=- t=text", "UPDATED_OLD": "n=5",
		"UPDATED_NEW": "n=6",
	}
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		for which, want := range cases {
			d.put("a", `"n":{"N":"5"},"t":{"S":"text"}`)
			out := d.must(
				"UpdateItem",
				d.body(key("a")+`,"UpdateExpression":"ADD n :v","ReturnValues":"`+which+`"`+values+`{":v":{"N":"1"}}`),
			)
			if got := compact(out["Attributes"]); got != want {
				t.Errorf("UpdateItem with ReturnValues %s = %q, want %q", which, got, want)
			}
		}
		if got := compact(
			d.must("DeleteItem", d.body(key("a")+`,"ReturnValues":"ALL_OLD"`))["Attributes"],
		); got != cases["ALL_NEW"] {
			t.Errorf("DeleteItem with ReturnValues ALL_OLD = %q, want %q", got, cases["ALL_NEW"])
		}
		d.want(
			"ValidationException",
			"PutItem",
			d.body(`"Item":{"pk":{"S":"a"},"sk":{"S":"-"}},"ReturnValues":"ALL_NEW"`),
		)
		changed := key("a") + `,"ReturnValues":"UPDATED_OLD"`
		d.want(d.wanted(changed, "ValidationException"), "DeleteItem", d.body(changed))
		d.put("a", `"n":{"N":"5"}`)
		out := d.want(
			"ConditionalCheckFailedException", "UpdateItem",
			d.body(
				key(
					"a",
				)+`,"UpdateExpression":"REMOVE n","ConditionExpression":"attribute_exists(nothing)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"`,
			),
		)
		// dynalite and DynamoDB Local send no item, AWS does.
		if got, sent := compact(out["Item"]), out["Item"] != nil; sent && got != "n=5 pk=a sk=-" ||
			!sent && strings.HasSuffix(t.Name(), "standin") {
			t.Errorf("the item of a refused condition is %q", got)
		}
	})
}

// Of many concurrent writes with one condition, exactly one succeeds. The
// condition is slow because it searches a long list.
func TestOneWinsARace(t *testing.T) {
	const rounds, callers = 10, 64
	long := `"l":{"L":[` + strings.Repeat(`{"N":"1"},`, 3000) + `{"N":"2"}]}`
	write := `,"UpdateExpression":"REMOVE l ADD n :v","ConditionExpression":"attribute_not_exists(n) AND NOT contains(l, :w)"` +
		values + `{":v":{"N":"1"},":w":{"N":"3"}}`
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		for round := range rounds {
			name := fmt.Sprintf("race-%d", round)
			d.put(name, long)
			var won, lost atomic.Int64
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					switch a := d.call("UpdateItem", d.body(key(name)+write)); a.code {
					case "":
						won.Add(1)
					case "ConditionalCheckFailedException":
						lost.Add(1)
					default:
						t.Errorf("UpdateItem = %s %v", a.code, a.members)
					}
				})
			}
			all.Wait()
			if got := compact(d.item(name)); won.Load() != 1 || lost.Load() != callers-1 || got != "n=1" {
				t.Errorf(
					"%d won, %d lost, and the item is %q; want 1, %d and n=1", won.Load(), lost.Load(), got, callers-1,
				)
			}
		}
	})
}
