package functions_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// situation is what the metrics show for some hours, and which alarms are
// raised then. begin is the minute at which something happens; until then all
// is well.
type situation struct {
	name    string
	hours   int               // 0: 2
	without []string          // metrics that nothing writes from begin on
	adds    testbed.Series    // what is written besides
	raised  map[string]window // no other alarm is ever raised
}

// window is when an alarm is raised: for the first time not after the minute
// by, and as often as times. 0: once.
type window struct{ by, times int }

const begin = 60

// each returns a value for each minute from first to last.
func each(first, last int, values ...float64) map[int][]float64 {
	s := map[int][]float64{}
	for minute := first; minute <= last; minute++ {
		s[minute] = values
	}
	return s
}

// at returns a value of 1 in each of the minutes.
func at(minutes ...int) map[int][]float64 {
	s := map[int][]float64{}
	for _, minute := range minutes {
		s[minute] = []float64{1}
	}
	return s
}

// failures returns a 1 in each of the minutes from begin on, and a 0 in all
// others.
func failures(minutes ...int) map[int][]float64 {
	s := each(begin, forever, 0)
	maps.Copy(s, at(minutes...))
	return s
}

// everyMinuteBut returns a 0 in each minute from begin on but each nth.
func everyMinuteBut(nth int) map[int][]float64 {
	s := each(begin, forever, 0)
	maps.DeleteFunc(s, func(minute int, _ []float64) bool { return minute%nth == 0 })
	return s
}

// vends returns the VendFailures of a minute.
func vends(failed, well int) []float64 {
	return append(slices.Repeat([]float64{1}, failed), slices.Repeat([]float64{0}, well)...)
}

const forever = 24 * 60

var situations = []situation{
	{name: "all is well"},
	{name: "no pass yet", without: []string{"Passes", "Backlog", "Overdue", "DiscoveryFailed"}},
	{
		name: "the schedule stops", without: []string{"Passes", "Backlog", "Overdue", "DiscoveryFailed"},
		raised: map[string]window{"HeartbeatAlarm": {by: begin + 5}, "DiscoveryAlarm": {by: begin + 5}},
	},
	{
		name: "the schedule stops for half an hour", without: []string{"Passes"},
		adds:   testbed.Series{"Passes": each(begin+30, forever, 1)},
		raised: map[string]window{"HeartbeatAlarm": {by: begin + 5}},
	},
	{
		name: "a pass is missing now and then", without: []string{"Passes"},
		adds: testbed.Series{"Passes": at(
			61, 62, 64, 65, 66, 68, 69, 70, 72, 73, 75, 76, 78, 79, 80, 82, 83, 84, 86, 87, 88, 90, 91, 93, 94, 96, 97,
			99, 100, 102, 103, 104, 106, 107, 108, 110, 111, 113, 114, 116, 117, 119, 120,
		)},
	},
	{
		name: "the due index can't be read", without: []string{"Passes", "Backlog", "Overdue"},
		adds:   testbed.Series{"StoreFailures": each(begin, forever, 1)},
		raised: map[string]window{"HeartbeatAlarm": {by: begin + 5}, "StoreAlarm": {by: begin + 3}},
	},
	{name: "DynamoDB fails for a minute", adds: testbed.Series{"StoreFailures": each(begin, begin, 1, 1, 1)}},
	{
		name: "DynamoDB fails while callers ask, and vends fail with it",
		adds: testbed.Series{
			"StoreFailures": each(begin, begin+9, 1, 1, 1, 1), "VendFailures": each(begin, begin+9, vends(4, 0)...),
		},
		raised: map[string]window{"StoreAlarm": {by: begin + 3}, "VendAlarm": {by: begin + 2}},
	},
	{
		name:   "the key of one credential's stack is disabled: retries with growing pauses",
		adds:   testbed.Series{"SealFailures": at(60, 61, 63, 67, 75, 88, 102, 117)},
		raised: map[string]window{"SealAlarm": {by: begin + 2}},
	},
	{name: "KMS fails once", adds: testbed.Series{"SealFailures": at(begin)}},
	{
		name:   "the role may not read a secret any more",
		adds:   testbed.Series{"SecretFailures": at(60, 61, 64, 69, 83, 97, 111)},
		raised: map[string]window{"SecretAlarm": {by: begin + 2}},
	},
	{name: "Secrets Manager fails once", adds: testbed.Series{"SecretFailures": at(begin)}},
	{
		name: "every discovery fails", without: []string{"DiscoveryFailed"},
		adds:   testbed.Series{"DiscoveryFailed": each(begin, forever, 1)},
		raised: map[string]window{"DiscoveryAlarm": {by: begin + 5}},
	},
	{
		name: "no discovery ends", without: []string{"DiscoveryFailed"},
		raised: map[string]window{"DiscoveryAlarm": {by: begin + 5}},
	},
	{
		name: "two discoveries fail", without: []string{"DiscoveryFailed"},
		adds: testbed.Series{"DiscoveryFailed": failures(begin, begin+1)},
	},
	{
		name: "a discovery is missing now and then", without: []string{"DiscoveryFailed"},
		adds: testbed.Series{"DiscoveryFailed": everyMinuteBut(3)},
	},
	{
		name:   "vend does not start",
		adds:   testbed.Series{"StartFailures": each(begin, begin+4, 1)},
		raised: map[string]window{"StartAlarm": {by: begin + 2}},
	},
	{name: "one instance does not start", adds: testbed.Series{"StartFailures": at(begin)}},
	{name: "1 % of many vends fail", adds: testbed.Series{"VendFailures": each(begin, begin+9, vends(1, 99)...)}},
	{
		name:   "2 % of many vends fail",
		adds:   testbed.Series{"VendFailures": each(begin, begin+9, vends(20, 980)...)},
		raised: map[string]window{"VendAlarm": {by: begin + 1}},
	},
	{name: "4 vends of a quiet stack fail", adds: testbed.Series{"VendFailures": each(begin, begin, vends(4, 0)...)}},
	{
		name:   "all vends of a quiet stack fail",
		adds:   testbed.Series{"VendFailures": each(begin, begin+10, vends(1, 0)...)},
		raised: map[string]window{"VendAlarm": {by: begin + 5}},
	},
	{
		name:   "a token can't be renewed in time",
		adds:   testbed.Series{"Overdue": each(begin, begin+20, 1)},
		raised: map[string]window{"OverdueAlarm": {by: begin + 1}},
	},
	{name: "a token is renewed late", adds: testbed.Series{"Overdue": each(begin, begin, 1)}},
	{
		name: "more is due than a pass renews", without: []string{"Backlog"},
		adds:   testbed.Series{"Backlog": each(begin, forever, 40)},
		raised: map[string]window{"BacklogAlarm": {by: begin + 3}},
	},
	{
		name:   "one of four workers always leaves some",
		adds:   testbed.Series{"Backlog": each(begin, begin+30, 0, 0, 40, 0)},
		raised: map[string]window{"BacklogAlarm": {by: begin + 3}},
	},
	{
		name: "a large pass leaves some for the next", without: []string{"Backlog"},
		adds: testbed.Series{"Backlog": each(begin, begin+1, 40)},
	},
	{
		name:   "a provider refuses two credentials, 20 minutes apart",
		adds:   testbed.Series{"CredentialsFailing": at(60, 80)},
		raised: map[string]window{"FailingAlarm": {by: begin + 1, times: 2}},
	},
	{
		name: "a stored row was changed", adds: testbed.Series{"IntegrityFailures": at(begin, begin+1, begin+2)},
		raised: map[string]window{"IntegrityAlarm": {by: begin + 1}},
	},
	{
		name: "a grant is not stored", adds: testbed.Series{"GrantsUnstored": at(begin)},
		raised: map[string]window{"UnstoredAlarm": {by: begin + 1}},
	},
	{
		name: "the canary finds a refused token", adds: testbed.Series{"TokensRefused": at(begin)},
		raised: map[string]window{"RefusedAlarm": {by: begin + 1}},
	},
	{
		name: "a grant ends, and is renewed each hour until then", hours: 12,
		adds:   testbed.Series{"GrantsEnding": at(60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 660)},
		raised: map[string]window{"GrantEndingAlarm": {by: begin + 1}},
	},
	{
		name: "a daily quota is used up to 80 %, a request every ten minutes", hours: 3,
		adds: testbed.Series{"ProviderQuotaUsed": {
			70: {78}, 80: {79}, 90: {79.9}, 100: {80}, 110: {81}, 120: {82}, 130: {83}, 140: {84}, 150: {85},
		}},
		raised: map[string]window{"QuotaAlarm": {by: 101}},
	},
	{
		name: "one credential has used 100 %, others little", hours: 4,
		adds:   testbed.Series{"ProviderQuotaUsed": {60: {3, 100, 20}, 61: {1, 0.1}}},
		raised: map[string]window{"QuotaAlarm": {by: begin + 1}},
	},
	{
		name: "an hourly quota of five is used up to 60 % in each hour", hours: 4,
		adds: testbed.Series{"ProviderQuotaUsed": {60: {20}, 80: {40}, 100: {60}, 120: {20}, 150: {40}, 170: {60}}},
	},
	{
		name: "Lambda throttles callers", adds: testbed.Series{"Throttles": each(begin, begin, 3)},
		raised: map[string]window{"ThrottleAlarm": {by: begin + 1}},
	},
	{
		name: "API Gateway can't invoke the function", adds: testbed.Series{"5xx": each(begin, begin+9, 1, 1, 1)},
		raised: map[string]window{"ApiAlarm": {by: begin + 2}},
	},
	{name: "4 answers are 5xx", adds: testbed.Series{"5xx": at(60, 61, 62, 63)}},
	{name: "callers are refused", adds: testbed.Series{"Refusals": each(begin, begin+30, 1, 1, 1, 1, 1)}},
	{name: "a provider answers 503 for a while", adds: testbed.Series{"MintFailures": each(begin, begin+30, 1)}},
}

// usual is what is written each minute while all is well.
var usual = map[string][]float64{
	"Passes": {1}, "Backlog": {0}, "Overdue": {0}, "Vends": {1}, "VendFailures": {0}, "DiscoveryFailed": {0},
}

// series returns what the metrics show.
func (s situation) series() testbed.Series {
	last := s.minutes()
	series := testbed.Series{}
	for metric, values := range usual {
		series[metric] = each(1, last, values...)
	}
	from := begin
	if s.name == "no pass yet" {
		from = 1
	}
	for _, metric := range s.without {
		maps.DeleteFunc(series[metric], func(minute int, _ []float64) bool { return minute >= from })
	}
	if s.adds["VendFailures"] != nil { // the caller of other situations is one a minute
		series["VendFailures"] = map[int][]float64{}
	}
	for metric, values := range s.adds {
		if series[metric] == nil {
			series[metric] = map[int][]float64{}
		}
		for minute, v := range values {
			series[metric][minute] = append(slices.Clone(series[metric][minute]), v...)
		}
	}
	return series
}

func (s situation) minutes() int {
	if s.hours == 0 {
		return 120
	}
	return begin + 60*s.hours
}

// Each alarm is raised when it should be, and only then.
func TestAlarms(t *testing.T) {
	t.Parallel()
	alarms, _ := testbed.Alarms(t)
	fired := map[string]bool{}
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			series := s.series()
			for name, alarm := range alarms {
				first, times := raised(alarm.Evaluate(series, s.minutes()))
				want, due := s.raised[name]
				if due && want.times == 0 {
					want.times = 1
				}
				if times != want.times || due && (first < begin || first > want.by) {
					t.Errorf(
						"%s is raised %d times, first in minute %d; want %d times, first from minute %d to %d",
						name, times, first, want.times, begin, want.by,
					)
				}
				fired[name] = fired[name] || times > 0
			}
		})
	}
	for name := range alarms {
		if !fired[name] {
			t.Errorf("%s is raised in no situation", name)
		}
	}
}

// raised returns the minute in which an alarm is first raised, and how often it
// is.
func raised(states []testbed.AlarmState) (first, times int) {
	before := testbed.AlarmOK
	for i, state := range states {
		if state == testbed.AlarmRaised && before != state {
			if times++; times == 1 {
				first = i + 1
			}
		}
		before = state
	}
	return first, times
}

// alarmsOnEvents tell of what happened. That nothing further happened is no
// recovery, so they tell nothing then.
var alarmsOnEvents = []string{
	"FailingAlarm", "GrantEndingAlarm", "IntegrityAlarm", "QuotaAlarm", "RefusedAlarm", "UnstoredAlarm",
}

func TestAlarmsTellOfRecoveryWhereThereIsOne(t *testing.T) {
	t.Parallel()
	alarms, _ := testbed.Alarms(t)
	for name, alarm := range alarms {
		event := slices.Contains(alarmsOnEvents, name)
		if len(alarm.AlarmActions) != 1 || len(alarm.OKActions) == 0 != event {
			t.Errorf(
				"%s has AlarmActions %v and OKActions %v; it is on an event: %t",
				name, alarm.AlarmActions, alarm.OKActions, event,
			)
		}
	}
}

// A state that is over is told as over.
func TestAlarmsOnStatesRecover(t *testing.T) {
	t.Parallel()
	alarms, _ := testbed.Alarms(t)
	for name, metric := range map[string]string{
		"OverdueAlarm": "Overdue", "StoreAlarm": "StoreFailures", "SealAlarm": "SealFailures",
		"StartAlarm": "StartFailures", "SecretAlarm": "SecretFailures",
		"ApiAlarm": "5xx", "ThrottleAlarm": "Throttles",
	} {
		s := situation{adds: testbed.Series{metric: each(begin, begin+9, 1)}}
		states := alarms[name].Evaluate(s.series(), s.minutes())
		if states[begin+8] != testbed.AlarmRaised || states[begin+45] != testbed.AlarmOK {
			t.Errorf(
				"%s is %s after 9 minutes and %s 36 minutes after the end, want ALARM and OK",
				name, states[begin+8], states[begin+45],
			)
		}
	}
	for name, metric := range map[string]string{"HeartbeatAlarm": "Passes", "DiscoveryAlarm": "DiscoveryFailed"} {
		stopped := situation{without: []string{metric}, adds: testbed.Series{
			metric: each(begin+20, forever, usual[metric]...),
		}}
		states := alarms[name].Evaluate(stopped.series(), stopped.minutes())
		if states[begin+18] != testbed.AlarmRaised || states[begin+30] != testbed.AlarmOK {
			t.Errorf("%s is %s, then %s, want ALARM and OK", name, states[begin+18], states[begin+30])
		}
	}
}

var runbookLink = regexp.MustCompile(`https://github\.com/tokenvend/tokenvend/blob/main/docs/guide/runbook\.md#([a-z]+)$`)

// docs/guide/runbook.md has one section for each alarm, which its description
// links to, and the dashboard shows each.
func TestRunbookHasTheAlarms(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "guide", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	alarms, dashboard := testbed.Alarms(t)
	for name, alarm := range alarms {
		title := strings.TrimSuffix(name, "Alarm")
		link := runbookLink.FindStringSubmatch(alarm.AlarmDescription)
		if link == nil || link[1] != strings.ToLower(title) {
			t.Errorf("%s has the description %q, want one that ends in its link", name, alarm.AlarmDescription)
		}
		for _, part := range []string{"**Means:**", "**Affects:**", "**Do:**", "**Over:**"} {
			if !strings.Contains(sections[title], part) {
				t.Errorf("docs/guide/runbook.md has no section %s with %s", title, part)
			}
		}
		if !strings.Contains(dashboard, "-"+name+"-") {
			t.Errorf("the dashboard does not show %s", name)
		}
		delete(sections, title)
	}
	for title := range sections {
		if _, has := alarms[title+"Alarm"]; !has && title != "Where to look" {
			t.Errorf("docs/guide/runbook.md has the section %s, and there is no such alarm", title)
		}
	}
}
