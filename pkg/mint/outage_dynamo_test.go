package mint_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// The same over the store of AWS, in a server that speaks DynamoDB: each kind
// of outage, at renewal and at expiry.
func TestOutageOfAnHourEndsNoGrantInDynamoDB(t *testing.T) {
	endpoint := testbed.DynamoDB(t) // its clock is not the test's
	for _, o := range outages[:testworld.Count(min(len(outages), usualOutages), 1)] {
		for at, begins := range beginnings {
			t.Run(o.name+"/at "+at, func(t *testing.T) {
				t.Parallel() // it waits for the server, in real time
				synctest.Test(t, func(t *testing.T) {
					transport := &http.Transport{
						DisableKeepAlives: true,
					} // a kept connection is waited on, and simulated time stands still
					client := dynamotable.Client(endpoint, transport)
					outlives(t, dynamo.New(client, dynamotable.New(t, client)), o, begins, "unknown")
				})
			})
		}
	}
}
