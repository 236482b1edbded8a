package clienttest_test

import (
	"context"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// In a test, over a fake tokenvend.
func ExampleServer() {
	fake := &clienttest.Server{}
	tokens := client.New(fake)
	defer func() { _ = tokens.Close() }()

	token, err := tokens.Source("minut").Token(context.Background())
	fmt.Println(token.Reveal(), err)

	fake.Fail(&api.Error{Code: api.UnknownCredential, Detail: "there is none"})
	_, err = tokens.Source("monta").Token(context.Background())
	fmt.Println(err)
	// Output:
	// token-1 <nil>
	// unknown_credential: there is none
}
