package secretsmanager

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

type list struct {
	Filters []struct {
		Key    string
		Values []string
	}
	MaxResults             int
	NextToken              string
	IncludePlannedDeletion bool
	SortBy, SortOrder      string
}

const mostPerPage = 100

// list lists the secrets page by page. NextToken is the place in the list.
func (s *Server) list(in *list) (any, error) {
	var names []string
	for _, f := range in.Filters {
		if f.Key != "name" {
			return nil, wire.Errorf("ValidationException", "the stand-in implements no filter by %s", f.Key)
		}
		names = f.Values
	}
	at, err := strconv.Atoi("0" + in.NextToken)
	if err != nil {
		return nil, wire.Errorf("InvalidNextTokenException", "Invalid NextToken")
	}
	sorted, err := s.sort(in)
	if err != nil {
		return nil, err
	}
	var all []*secret
	for _, x := range sorted {
		if (x.deleted.IsZero() || in.IncludePlannedDeletion) && fits(x.name, names) {
			all = append(all, x)
		}
	}
	size := in.MaxResults
	if size < 1 || size > mostPerPage {
		size = mostPerPage
	}
	begin, end := min(at, len(all)), min(at+size, len(all))
	page := []map[string]any{}
	for _, x := range all[begin:end] {
		page = append(page, x.entry("SecretVersionsToStages"))
	}
	answer := map[string]any{"SecretList": page}
	if end < len(all) {
		answer["NextToken"] = strconv.Itoa(end)
	}
	return answer, nil
}

// sort returns the secrets in the order that is asked for.
func (s *Server) sort(in *list) ([]*secret, error) {
	sorted := s.secrets
	switch in.SortBy {
	case "", "created-date": // as they are
	case "name":
		sorted = s.byName()
	case "last-changed-date":
		sorted = slices.Clone(sorted)
		slices.SortStableFunc(sorted, func(a, b *secret) int { return a.changed.Compare(b.changed) })
	default:
		return nil, wire.Errorf("ValidationException", "the stand-in implements no order by %s", in.SortBy)
	}
	if in.SortOrder == "desc" {
		sorted = slices.Clone(sorted)
		slices.Reverse(sorted)
	}
	return sorted, nil
}

// byName returns the secrets by name.
func (s *Server) byName() []*secret {
	if s.sorted == nil {
		s.sorted = slices.Clone(s.secrets)
		slices.SortFunc(s.sorted, func(a, b *secret) int { return strings.Compare(a.name, b.name) })
	}
	return s.sorted
}

// fits reports whether a name begins with one of the prefixes, if there are
// any. Their case counts.
func fits(name string, prefixes []string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool {
		return strings.HasPrefix(name, p)
	})
}

type moveStage struct{ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId string }

func (s *Server) moveStage(in *moveStage) (any, error) {
	x, err := s.living(in.SecretId)
	if err != nil {
		return nil, err
	}
	from, to := x.version(in.RemoveFromVersionId), x.version(in.MoveToVersionId)
	if in.RemoveFromVersionId != "" && from == nil || in.MoveToVersionId != "" && to == nil {
		return nil, missing()
	}
	if has := x.at(in.VersionStage); has != from && has != to {
		return nil, wire.Errorf("InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. "+
			"Staging label %s is currently attached to version %s, so you must explicitly reference that version.",
			in.VersionStage, has.id)
	}
	x.move(in.VersionStage, to)
	x.changed = time.Now()
	return map[string]any{"ARN": x.arn, "Name": x.name}, nil
}

type deletion struct {
	SecretId                   string
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

// The bounds of a recovery window, in days.
const (
	leastDays, mostDays = 7, 30
)

func (s *Server) delete(in *deletion) (any, error) {
	days := mostDays
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
	}
	if in.ForceDeleteWithoutRecovery && in.RecoveryWindowInDays != nil || days < leastDays || days > mostDays {
		return nil, wire.Errorf("InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and "+
			"30 days (inclusive), "+
			"and can't be given with ForceDeleteWithoutRecovery.")
	}
	now := time.Now()
	x, err := s.find(in.SecretId)
	switch {
	case err != nil && in.ForceDeleteWithoutRecovery:
		return map[string]any{"Name": in.SecretId, "DeletionDate": seconds(now)}, nil
	case err != nil:
		return nil, err
	case in.ForceDeleteWithoutRecovery:
		s.secrets, s.sorted = slices.DeleteFunc(s.secrets, func(one *secret) bool { return one == x }), nil
		delete(s.named, x.name)
		return map[string]any{"ARN": x.arn, "Name": x.name, "DeletionDate": seconds(now)}, nil
	}
	if _, err := s.living(in.SecretId); err != nil {
		return nil, err
	}
	x.changed, x.deleted, x.until = now, now, now.AddDate(0, 0, days)
	return map[string]any{"ARN": x.arn, "Name": x.name, "DeletionDate": seconds(x.until)}, nil
}

func (s *Server) restore(in *byID) (any, error) {
	x, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	x.changed, x.deleted, x.until = time.Now(), time.Time{}, time.Time{}
	return map[string]any{"ARN": x.arn, "Name": x.name}, nil
}
