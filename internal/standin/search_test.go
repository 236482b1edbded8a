package standin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// row stores an item with this key and index attributes.
func (d dynamo) row(pk, sk, more string) {
	d.t.Helper()
	d.must("PutItem", d.body(`"Item":{"pk":{"S":"`+pk+`"},"sk":{"S":"`+sk+`"}`+more+`}`))
}

// keysOf returns the sort keys in a search result.
func keysOf(found map[string]any) string {
	var names []string
	items, _ := found["Items"].([]any)
	for _, it := range items {
		names = append(names, plain(it.(map[string]any)["sk"]))
	}
	return strings.Join(names, " ")
}

func TestQueries(t *testing.T) {
	const invalid = "ValidationException"
	cases := []struct{ request, want string }{
		{`"KeyConditionExpression":"pk = :p"` + values + `{":p":{"S":"p"}}`, "B a b ba c"},
		{
			`"KeyConditionExpression":"#p = :p","ExpressionAttributeNames":{"#p":"pk"}` + values + `{":p":{"S":"q"}}`,
			"a",
		},
		{`"KeyConditionExpression":"pk = :p"` + values + `{":p":{"S":"none"}}`, ""},
		{`"KeyConditionExpression":"pk = :p AND sk > :s"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`, "ba c"},
		{`"KeyConditionExpression":"pk = :p AND sk >= :s"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`, "b ba c"},
		{`"KeyConditionExpression":"sk <= :s AND pk = :p"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`, "B a b"},
		{`"KeyConditionExpression":"pk = :p AND sk = :s"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`, "b"},
		{
			`"KeyConditionExpression":"pk = :p AND sk BETWEEN :s AND :u"` + values +
				`{":p":{"S":"p"},":s":{"S":"a"},":u":{"S":"b"}}`,
			"a b",
		},
		{
			`"KeyConditionExpression":"pk = :p AND begins_with(sk, :s)"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`,
			"b ba",
		},
		{
			`"KeyConditionExpression":"pk = :p","FilterExpression":"attribute_exists(n)"` + values + `{":p":{"S":"p"}}`,
			"b c",
		},
		{
			`"IndexName":"due","KeyConditionExpression":"gh = :d AND gs <= :a"` + values +
				`{":d":{"N":"1"},":a":{"N":"10"}}`,
			"c b",
		},
		{`"IndexName":"due","KeyConditionExpression":"gh = :d"` + values + `{":d":{"N":"2"}}`, "ba"},

		{`"KeyConditionExpression":"pk = :p AND n = :s"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`, invalid},
		{`"KeyConditionExpression":"sk = :s"` + values + `{":s":{"S":"b"}}`, invalid},
		{`"KeyConditionExpression":"pk > :p"` + values + `{":p":{"S":"p"}}`, invalid},
		{`"KeyConditionExpression":"pk = :p AND sk <> :s"` + values + `{":p":{"S":"p"},":s":{"S":"b"}}`, invalid},
		{`"KeyConditionExpression":"pk = :p"` + values + `{":p":{"N":"1"}}`, invalid},
		{`"KeyConditionExpression":"pk = :p"`, invalid},
		{`"KeyConditionExpression":"pk = :p","Limit":0` + values + `{":p":{"S":"p"}}`, invalid},
		{`"IndexName":"other","KeyConditionExpression":"pk = :p"` + values + `{":p":{"S":"p"}}`, invalid},
		{
			`"IndexName":"due","ConsistentRead":true,"KeyConditionExpression":"gh = :p"` + values + `{":p":{"N":"1"}}`,
			invalid,
		},
		{`"KeyConditionExpression":"pk = :p","ProjectionExpression":"sk, name"` + values + `{":p":{"S":"p"}}`, invalid},
	}
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		d.row("q", "a", "")
		d.row("p", "c", `,"n":{"N":"1"},"t":{"S":"x"},"gh":{"N":"1"},"gs":{"N":"2"}`)
		d.row("p", "b", `,"n":{"N":"2"},"gh":{"N":"1"},"gs":{"N":"10"}`)
		d.row("p", "ba", `,"gh":{"N":"2"},"gs":{"N":"1"}`)
		d.row("p", "B", `,"gh":{"N":"1"},"gs":{"N":"11"}`)
		d.row("p", "a", `,"gh":{"N":"1"}`)
		for _, c := range cases {
			found := d.call("Query", d.body(c.request))
			if got, want := found.code+keysOf(found.members), d.wanted(c.request, c.want); got != want {
				t.Errorf("Query(%s) = %q %v, want %q", c.request, got, found.members["message"], want)
			}
		}
		whole := d.must(
			"Query",
			d.body(
				`"IndexName":"due","KeyConditionExpression":"gh = :d AND gs = :a"`+values+
					`{":d":{"N":"1"},":a":{"N":"2"}}`,
			),
		)
		items, _ := whole["Items"].([]any)
		if len(items) != 1 || compact(items[0]) != "gh=1 gs=2 n=1 pk=p sk=c" {
			t.Errorf("the index holds %v, want its keys, the table's and n", items)
		}
		some := d.must(
			"Query",
			d.body(
				`"KeyConditionExpression":"pk = :p AND sk = :s","ProjectionExpression":"n, nothing"`+values+
					`{":p":{"S":"p"},":s":{"S":"c"}}`,
			),
		)
		if items, _ := some["Items"].([]any); len(items) != 1 || compact(items[0]) != "n=1" {
			t.Errorf("ProjectionExpression n, nothing = %v, want n=1", items)
		}
		if got := len(d.must("Scan", d.body(""))["Items"].([]any)); got != 6 {
			t.Errorf("Scan finds %d items, want 6", got)
		}
		if got := len(d.must("Scan", d.body(`"IndexName":"due"`))["Items"].([]any)); got != 4 {
			t.Errorf("Scan of the index finds %d items, want 4", got)
		}
	})
}

// pages reads a search page by page, and returns the sort keys of each page.
func (d dynamo) pages(action, request string) (pages []string) {
	d.t.Helper()
	start := ""
	for range 100 {
		found := d.must(action, d.body(request+start))
		pages = append(pages, keysOf(found))
		last, more := found["LastEvaluatedKey"]
		if !more {
			return pages
		}
		text, err := json.Marshal(last)
		if err != nil {
			d.t.Fatal(err)
		}
		start = `,"ExclusiveStartKey":` + string(text)
	}
	d.t.Fatalf("%s(%s) does not end", action, request)
	return nil
}

func TestPages(t *testing.T) {
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		for i := range 5 {
			d.row("p", fmt.Sprint("s", i), `,"n":{"N":"`+fmt.Sprint(i%2)+`"},"gh":{"N":"1"},"gs":{"N":"7"}`)
		}
		for _, c := range []struct{ action, request, want string }{
			{"Query", `"Limit":2,"KeyConditionExpression":"pk = :p"` + values + `{":p":{"S":"p"}}`, "s0 s1|s2 s3|s4"},
			{"Query", `"Limit":5,"KeyConditionExpression":"pk = :p"` + values + `{":p":{"S":"p"}}`, "s0 s1 s2 s3 s4|"},
			{"Query", `"Limit":6,"KeyConditionExpression":"pk = :p"` + values + `{":p":{"S":"p"}}`, "s0 s1 s2 s3 s4"},
			{
				"Query",
				`"Limit":2,"FilterExpression":"n = :z","KeyConditionExpression":"pk = :p"` + values +
					`{":p":{"S":"p"},":z":{"N":"1"}}`,
				"s1|s3|",
			},
			{"Scan", `"Limit":2`, "s0 s1|s2 s3|s4"},
		} {
			if got := strings.Join(d.pages(c.action, c.request), "|"); got != c.want {
				t.Errorf("pages of %s(%s) = %q, want %q", c.action, c.request, got, c.want)
			}
		}
		index := d.pages(
			"Query", `"Limit":2,"IndexName":"due","KeyConditionExpression":"gh = :d"`+values+`{":d":{"N":"1"}}`,
		)
		if got := strings.Fields(strings.Join(index, " ")); len(index) != 3 || len(got) != 5 {
			t.Errorf("pages of the index = %q, want each of five items once, in 3 pages", index)
		}
		large := `,"x":{"S":"` + strings.Repeat("x", 390<<10) + `"}`
		for i := range 4 {
			d.row("large", fmt.Sprint("s", i), large)
		}
		if got := d.pages(
			"Query", `"KeyConditionExpression":"pk = :p"`+values+`{":p":{"S":"large"}}`,
		); strings.Join(got, "|") != "s0 s1 s2|s3" {
			t.Errorf("pages of 390 KiB items = %q, want three in the first megabyte", got)
		}
	})
}

func TestItemsAndKeys(t *testing.T) {
	const invalid = "ValidationException"
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		d.put("a", base)
		if got, want := compact(d.item("a")), "b=AAEC f=true l=[1] n=5 s=[x,y] t=text z=true"; got != want {
			t.Errorf("GetItem = %q, want %q", got, want)
		}
		if got := d.must("GetItem", d.body(key("nobody"))); len(got) != 0 {
			t.Errorf("GetItem of no item = %v, want nothing", got)
		}
		d.want(invalid, "GetItem", d.body(`"Key":{"pk":{"S":"a"}}`))
		d.want(invalid, "GetItem", d.body(`"Key":{"pk":{"S":"a"},"sk":{"N":"1"}}`))
		d.want(invalid, "GetItem", d.body(`"Key":{"pk":{"S":"a"},"sk":{"S":"-"},"n":{"N":"1"}}`))
		d.want(invalid, "PutItem", d.body(`"Item":{"pk":{"S":"a"}}`))
		d.want(invalid, "PutItem", d.body(`"Item":{"pk":{"S":""},"sk":{"S":"-"}}`))
		d.want(invalid, "PutItem", d.body(`"Item":{"pk":{"S":"a"},"sk":{"S":"-"},"gs":{"S":"x"}}`))
		d.want(
			invalid, "PutItem",
			d.body(`"Item":{"pk":{"S":"a"},"sk":{"S":"-"},"x":{"S":"`+strings.Repeat("x", 400<<10)+`"}}`),
		)
		d.want(
			"ConditionalCheckFailedException", "PutItem",
			d.body(`"Item":{"pk":{"S":"a"},"sk":{"S":"-"}},"ConditionExpression":"attribute_not_exists(pk)"`),
		)
		d.want(
			"ConditionalCheckFailedException", "DeleteItem",
			d.body(key("a")+`,"ConditionExpression":"attribute_not_exists(pk)"`),
		)
		d.must("DeleteItem", d.body(key("a")))
		d.must("DeleteItem", d.body(key("a")))
		if got := d.item("a"); len(got) != 0 {
			t.Errorf("after DeleteItem stands %v", got)
		}
		other := d
		other.table = "no-such-table"
		other.want("ResourceNotFoundException", "GetItem", other.body(key("a")))
	})
}

func TestBatches(t *testing.T) {
	keys := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"pk":{"S":"p%d"},"sk":{"S":"-"}}`, i))
		}
		return strings.Join(all, ",")
	}
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		for i := range 3 {
			d.put(fmt.Sprint("p", i), `"n":{"N":"1"}`)
		}
		of := func(keys string) string {
			return `{"RequestItems":{"` + d.table + `":{"ConsistentRead":true,"Keys":[` + keys + `]}}}`
		}
		found := d.must("BatchGetItem", of(keys(100)))
		if items, _ := found["Responses"].(map[string]any)[d.table].([]any); len(items) != 3 {
			t.Errorf("BatchGetItem of 100 keys, 3 of them stored = %v", found)
		}
		d.want("ValidationException", "BatchGetItem", of(keys(101)))
		d.want("ValidationException", "BatchGetItem", of(keys(1)+","+keys(1)))
		d.want("ValidationException", "BatchGetItem", `{"RequestItems":{}}`)
	})
}

func TestBatchesOfPuts(t *testing.T) {
	puts := func(first, end int) string {
		var all []string
		for i := first; i < end; i++ {
			all = append(all, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"p%d"},"sk":{"S":"-"},"n":{"N":"%d"}}}}`, i, i))
		}
		return strings.Join(all, ",")
	}
	onEachDynamoDB(t, func(t *testing.T, d dynamo) {
		d.put("p3", `"t":{"S":"old"}`)
		of := func(puts string) string { return `{"RequestItems":{"` + d.table + `":[` + puts + `]}}` }
		d.must("BatchWriteItem", of(puts(0, 25)))
		for name, want := range map[string]string{"p3": "n=3", "p24": "n=24", "p25": ""} {
			if got := compact(d.item(name)); got != want {
				t.Errorf("the item %s = %s, want %s", name, got, want)
			}
		}
		d.want("ValidationException", "BatchWriteItem", of(puts(0, 26)))
		d.want("ValidationException", "BatchWriteItem", of(puts(30, 31)+","+puts(30, 31)))
		d.want("ValidationException", "BatchWriteItem", `{"RequestItems":{}}`)
		if got := compact(d.item("p30")); got != "" {
			t.Errorf("the item of a refused batch = %s, want none", got)
		}
	})
}
