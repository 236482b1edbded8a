// Command gosec runs gosec's rules and analyzers on Go packages. It is gosec as a library: its own program drags in the client libraries of five AI services, to propose fixes that nobody here asks for.
package main

import (
	"github.com/securego/gosec/v2/goanalysis"
	"golang.org/x/tools/go/analysis/singlechecker"
)

func main() { singlechecker.Main(goanalysis.Analyzer) }
