// Package dynamodb stands in for DynamoDB in tests: tables in memory, with the
// actions and the expressions that tokenvend uses. What it does not implement
// is an error. Conditional writes are atomic, reads are always consistent, and
// nothing expires. The contract suite of internal/standin holds it to dynalite
// and to DynamoDB Local.
package dynamodb

import (
	"net/http"
	"slices"
	"sync"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// Server is a DynamoDB. The zero value has no tables.
type Server struct {
	mu     sync.Mutex
	tables map[string]*table
}

// Serve answers one request, whose body is given.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	wire.JSON{ContentType: "application/x-amz-json-1.0", Lock: &s.mu, Actions: map[string]wire.Action{
		"CreateTable":    wire.On(s.createTable),
		"DescribeTable":  wire.On(s.describeTable),
		"DeleteTable":    wire.On(s.deleteTable),
		"GetItem":        wire.On(s.getItem),
		"BatchGetItem":   wire.On(s.batchGetItem),
		"BatchWriteItem": wire.On(s.batchWriteItem),
		"PutItem":        wire.On(s.putItem),
		"UpdateItem":     wire.On(s.updateItem),
		"DeleteItem":     wire.On(s.deleteItem),
		"Query":          wire.On(s.query),
		"Scan":           wire.On(s.scan),
	}}.Serve(w, r, body)
}

func (s *Server) table(name string) (*table, error) {
	t := s.tables[name]
	if t == nil {
		return nil, wire.Errorf("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
	}
	return t, nil
}

type keySchema []struct{ AttributeName, KeyType string }

func (k keySchema) keys() (found keys) {
	for _, one := range k {
		if one.KeyType == "HASH" {
			found.hash = one.AttributeName
		} else {
			found.sort = one.AttributeName
		}
	}
	return found
}

type createTable struct {
	TableName, BillingMode string
	KeySchema              keySchema
	AttributeDefinitions   []struct {
		AttributeName string
		AttributeType kind
	}
	GlobalSecondaryIndexes []struct {
		IndexName  string
		KeySchema  keySchema
		Projection struct {
			ProjectionType   string
			NonKeyAttributes []string `json:",omitempty"`
		}
	}
}

func (s *Server) createTable(in *createTable) (any, error) {
	if s.tables[in.TableName] != nil {
		return nil, wire.Errorf("ResourceInUseException", "Table already exists: %s", in.TableName)
	}
	t := &table{
		keys:    in.KeySchema.keys(),
		types:   map[string]kind{},
		indexes: map[string]index{},
		created: *in,
		items:   map[string]item{},
	}
	t.rows = newSortedItems(t.names())
	for _, a := range in.AttributeDefinitions {
		t.types[a.AttributeName] = a.AttributeType
	}
	for _, x := range in.GlobalSecondaryIndexes {
		keys := x.KeySchema.keys()
		t.indexes[x.IndexName] = index{
			keys: keys, projected: x.Projection.NonKeyAttributes,
			all:  x.Projection.ProjectionType == "ALL",
			rows: newSortedItems(slices.Concat(keys.names(), t.names())),
		}
	}
	if s.tables == nil {
		s.tables = map[string]*table{}
	}
	s.tables[in.TableName] = t
	return map[string]any{"TableDescription": t.describe()}, nil
}

type named struct{ TableName string }

func (s *Server) describeTable(in *named) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Table": t.describe()}, nil
}

func (s *Server) deleteTable(in *named) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	delete(s.tables, in.TableName)
	return map[string]any{"TableDescription": t.describe()}, nil
}

func (t *table) describe() map[string]any {
	return map[string]any{
		"TableName": t.created.TableName, "TableStatus": "ACTIVE", "KeySchema": t.created.KeySchema,
		"AttributeDefinitions":   t.created.AttributeDefinitions,
		"GlobalSecondaryIndexes": t.created.GlobalSecondaryIndexes,
		"ItemCount":              len(t.items),
	}
}
