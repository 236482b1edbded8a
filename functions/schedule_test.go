package functions_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// mostTargets is how many targets a rule of EventBridge may have.
const mostTargets = 5

// The rules of template.yaml invoke each worker once a minute, for each number
// of workers, and the discovery.
func TestScheduleInvokesEachWorker(t *testing.T) {
	t.Parallel()
	for _, of := range []int{1, 2, 4, 8} {
		given := map[string]any{"RotateWorkers": of}
		var inputs, want []string
		for _, rule := range []string{"WorkerRule", "MoreWorkersRule"} {
			if !testbed.HasResource(t, rule, given) {
				continue
			}
			targets, _ := testbed.Property(t, rule, "Targets", given).([]any)
			if len(targets) > mostTargets {
				t.Errorf("%s has %d targets, want %d at most", rule, len(targets), mostTargets)
			}
			for _, target := range targets {
				inputs = append(inputs, fmt.Sprint(target.(map[string]any)["Input"]))
			}
		}
		for worker := range of {
			want = append(want, fmt.Sprintf(`{"worker":%d,"of":%d}`, worker+1, of))
		}
		if !slices.Equal(inputs, want) {
			t.Errorf("with RotateWorkers %d, the rules send %v, want %v", of, inputs, want)
		}
	}
	targets, _ := testbed.Property(t, "RotateFunctionDiscovery", "Targets", nil).([]any)
	if len(targets) != 1 || targets[0].(map[string]any)["Input"] != `{"discover":true}` {
		t.Errorf("RotateFunctionDiscovery sends to %v, want {\"discover\":true} to rotate", targets)
	}
}
