package storetest

// sentence is one sentence of the contract with its test.
type sentence struct {
	says string
	test func(harness)
}
