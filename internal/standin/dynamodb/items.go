package dynamodb

import (
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// expressions are the parameters that requests with expressions share.
type expressions struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]value
}

type getItem struct {
	expressions
	TableName            string
	Key                  item
	ConsistentRead       bool
	ProjectionExpression *string
}

func (s *Server) getItem(in *getItem) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	p := newPlaceholders(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	names, err := p.parseProjection(in.ProjectionExpression)
	if err == nil {
		err = p.unused()
	}
	if err == nil {
		err = t.checkKey(in.Key)
	}
	if err != nil {
		return nil, err
	}
	it, there := t.items[t.id(in.Key)]
	if !there {
		return struct{}{}, nil
	}
	return map[string]any{"Item": pick(it, names)}, nil
}

// parseProjection returns the names of a ProjectionExpression; nil without one.
func (p *placeholders) parseProjection(text *string) ([]string, error) {
	if text == nil {
		return nil, nil
	}
	x := p.parser("ProjectionExpression", *text)
	names := []string{x.name()}
	for x.peek() == "," {
		x.next()
		names = append(names, x.name())
	}
	return names, x.end()
}

// write is what the requests that change one item share.
type write struct {
	expressions
	TableName                           string
	ConditionExpression                 *string
	ReturnValues                        string
	ReturnValuesOnConditionCheckFailure string
}

// pending is a write that is under way: its table, its condition and what the
// item was.
type pending struct {
	*table
	write
	holds condition
	id    string
	was   item // nil: none
}

// begin checks what all writes have in common. extra reads further expressions.
func (s *Server) begin(in write, key item, extra func(*placeholders) error) (*pending, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	p := newPlaceholders(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if extra != nil {
		if err := extra(p); err != nil {
			return nil, err
		}
	}
	holds, err := p.parseCondition("ConditionExpression", in.ConditionExpression)
	if err == nil {
		err = p.unused()
	}
	if err == nil {
		err = t.checkKey(key)
	}
	if err != nil {
		return nil, err
	}
	id := t.id(key)
	return &pending{table: t, write: in, holds: holds, id: id, was: t.items[id]}, nil
}

// commit stores what an item becomes, nil for nothing, if the condition holds.
func (w *pending) commit(becomes item) (any, error) {
	if !w.holds(w.was) {
		refused := wire.Errorf("ConditionalCheckFailedException", "The conditional request failed")
		if w.ReturnValuesOnConditionCheckFailure == "ALL_OLD" && w.was != nil {
			refused.Fields = map[string]any{"Item": w.was}
		}
		return nil, refused
	}
	if becomes != nil {
		if err := w.check(becomes); err != nil {
			return nil, err
		}
	}
	w.store(w.id, becomes)
	return struct{}{}, nil
}

// returns adds what ReturnValues asks for to the answer of a write.
func (w *pending) returns(becomes item, updated []string) (any, error) {
	answer, err := w.commit(becomes)
	var shown item
	switch w.ReturnValues {
	case "", "NONE":
		return answer, err
	case "ALL_OLD":
		shown = w.was
	case "ALL_NEW":
		shown = becomes
	case "UPDATED_OLD":
		shown = pick(w.was, updated)
	case "UPDATED_NEW":
		shown = pick(becomes, updated)
	default:
		return nil, invalid(
			"1 validation error detected: Value '%s' at 'returnValues' failed to satisfy constraint", w.ReturnValues,
		)
	}
	if err != nil || shown == nil {
		return answer, err
	}
	return map[string]any{"Attributes": shown}, nil
}

// onlyOld refuses what only an update returns.
func (w write) onlyOld() error {
	if slices.Contains([]string{"", "NONE", "ALL_OLD"}, w.ReturnValues) {
		return nil
	}
	return invalid("Return values set to invalid value")
}

type putItem struct {
	write
	Item item
}

func (s *Server) putItem(in *putItem) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.check(in.Item); err != nil {
		return nil, err
	}
	w, err := s.begin(in.write, t.of(in.Item), nil)
	if err == nil {
		err = in.onlyOld()
	}
	if err != nil {
		return nil, err
	}
	return w.returns(in.Item, nil)
}

type deleteItem struct {
	write
	Key item
}

func (s *Server) deleteItem(in *deleteItem) (any, error) {
	w, err := s.begin(in.write, in.Key, nil)
	if err == nil {
		err = in.onlyOld()
	}
	if err != nil {
		return nil, err
	}
	return w.returns(nil, nil)
}

type updateItem struct {
	write
	Key              item
	UpdateExpression *string
}

func (s *Server) updateItem(in *updateItem) (any, error) {
	var u update
	w, err := s.begin(in.write, in.Key, func(p *placeholders) (err error) {
		u, err = p.parseUpdate(in.UpdateExpression)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range u.names {
		if slices.Contains(w.names(), name) {
			return nil, invalid("One or more parameter values were invalid: Cannot update attribute %s. "+
				"This attribute is part of the key", name)
		}
	}
	if !w.holds(w.was) {
		return w.commit(nil)
	}
	was := maps.Clone(in.Key)
	maps.Copy(was, w.was)
	becomes, err := u.apply(was)
	if err != nil {
		return nil, err
	}
	return w.returns(becomes, u.names)
}
