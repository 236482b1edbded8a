package dynamodb

type batchGetItem struct {
	RequestItems map[string]struct {
		Keys           []item
		ConsistentRead bool
	}
}

// mostKeys is how many keys one BatchGetItem may name.
const mostKeys = 100

func (s *Server) batchGetItem(in *batchGetItem) (any, error) {
	found, asked := map[string][]item{}, 0
	for name, request := range in.RequestItems {
		t, err := s.table(name)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		found[name] = []item{}
		for _, key := range request.Keys {
			if err := t.checkKey(key); err != nil {
				return nil, err
			}
			id := t.id(key)
			if seen[id] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[id] = true
			if it, there := t.items[id]; there {
				found[name] = append(found[name], it)
			}
		}
		if asked += len(request.Keys); asked > mostKeys {
			return nil, invalid("Too many items requested for the BatchGetItem call")
		}
	}
	if asked == 0 {
		return nil, invalid("The requestItems parameter is required for BatchGetItem")
	}
	return map[string]any{"Responses": found, "UnprocessedKeys": struct{}{}}, nil
}

type batchWriteItem struct {
	RequestItems map[string][]struct {
		PutRequest *struct{ Item item }
	}
}

// mostPuts is how many items one BatchWriteItem may put.
const mostPuts = 25

// batchWriteItem puts items, all or none. It deletes none.
func (s *Server) batchWriteItem(in *batchWriteItem) (any, error) {
	asked := 0
	for name, requests := range in.RequestItems {
		t, err := s.table(name)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, request := range requests {
			if request.PutRequest == nil {
				return nil, invalid("the stand-in implements only PutRequest")
			}
			if err := t.check(request.PutRequest.Item); err != nil {
				return nil, err
			}
			id := t.id(request.PutRequest.Item)
			if seen[id] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[id] = true
		}
		asked += len(requests)
	}
	if asked == 0 || asked > mostPuts {
		return nil, invalid("BatchWriteItem takes 1 to %d items", mostPuts)
	}
	for name, requests := range in.RequestItems {
		for _, request := range requests {
			t := s.tables[name]
			t.store(t.id(request.PutRequest.Item), request.PutRequest.Item)
		}
	}
	return map[string]any{"UnprocessedItems": struct{}{}}, nil
}
