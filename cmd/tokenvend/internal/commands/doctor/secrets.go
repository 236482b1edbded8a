package doctor

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// secrets reads each credential, and reports what is wrong with those that
// cannot be used. No value is shown. It returns the names of the credentials;
// nil: they were not read.
func (s *setup) secrets(ctx context.Context, source credential.Source) (names []string) {
	all, err := source.List(ctx)
	if err != nil {
		s.Unread("credentials", err)
		return nil
	}
	names = make([]string, len(all))
	for i, one := range all {
		names[i] = one.Name
	}
	if len(all) == 0 {
		s.Warn("credentials", "there is none", s.Commands.Line("add", "NAME")+" makes one")
		return names
	}
	sound := 0
	for _, one := range all {
		_, err := source.Read(ctx, one.Name, credential.Current)
		var bad *credential.Malformed
		switch {
		case err == nil:
			sound++
		case errors.As(err, &bad):
			for _, field := range bad.Fields {
				s.Fail(
					"credential "+one.Name,
					field.Field+": "+field.Expected,
					s.Commands.Line("set", one.Name)+" corrects it",
				)
			}
		default:
			s.Unread("credential "+one.Name, err)
		}
	}
	s.OK("credentials", "%d of %d are sound", sound, len(all))
	return names
}
