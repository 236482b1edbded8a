// Command lint runs a few analyzers on Go packages that go vet and staticcheck
// do not have. golangci-lint contains them too. It is not used, because its
// module needs several hundred others.
package main

import (
	"slices"

	"github.com/kisielk/errcheck/errcheck"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/multichecker"
	"golang.org/x/tools/go/analysis/passes/deepequalerrors"
	"golang.org/x/tools/go/analysis/passes/modernize"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/reflectvaluecompare"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
)

func main() {
	analyzers := slices.DeleteFunc(slices.Clone(modernize.Suite), func(a *analysis.Analyzer) bool {
		return a == modernize.StringsBuilderAnalyzer // a short text is clearer without a builder
	})
	multichecker.Main(append(analyzers,
		deepequalerrors.Analyzer,
		errcheck.Analyzer,
		errorlint.NewAnalyzer(),
		nilness.Analyzer,
		reflectvaluecompare.Analyzer,
		unusedwrite.Analyzer,
	)...)
}
