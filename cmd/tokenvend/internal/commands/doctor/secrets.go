package doctor

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// secrets reads each credential, and reports what is wrong with those that
// cannot be used. No value is shown.
func (f *findings) secrets(ctx context.Context, source credential.Source) {
	all, err := source.List(ctx)
	if err != nil {
		f.unread("credentials", err)
		return
	}
	f.credentials = []string{}
	for _, one := range all {
		f.credentials = append(f.credentials, one.Name)
	}
	if len(all) == 0 {
		f.warn("credentials", "there is none", f.commands.Line("add", "NAME")+" makes one")
		return
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
				f.fail(
					"credential "+one.Name,
					field.Field+": "+field.Expected,
					f.commands.Line("set", one.Name)+" corrects it",
				)
			}
		default:
			f.unread("credential "+one.Name, err)
		}
	}
	f.ok("credentials", "%d of %d are sound", sound, len(all))
}
