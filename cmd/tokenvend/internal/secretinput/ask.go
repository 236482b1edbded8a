package secretinput

import (
	"fmt"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
)

// ask asks for a field that the secret does not have, on a terminal.
func (q Question) ask(c terminal.Console, f Fields) error {
	if has, err := f.has(q.Field); err != nil || has {
		return err
	}
	if !c.Interactive() {
		if q.Optional {
			return nil
		}
		return clierror.Usage("%s is needed, since there is no terminal to ask on", q.flag())
	}
	answer, err := q.answer(c)
	if err != nil || answer == "" {
		return err
	}
	return f.set(q.Field, answer)
}

// flag returns the flag that answers the question.
func (q Question) flag() string {
	object, name, _ := strings.Cut(q.Field, ".")
	switch {
	case object == "variables":
		return "--variable " + name + "=VALUE"
	case object == "secrets":
		return "--secret-file " + name + "=FILE"
	case q.File, q.Secret:
		return "--" + strings.ReplaceAll(q.Field, "_", "-") + "-file"
	}
	return "--" + strings.ReplaceAll(q.Field, "_", "-")
}

// prompt is the text of the question.
func (q Question) prompt() string {
	var more []string
	if len(q.Values) > 1 {
		more = append(more, command.Alternatives(q.Values))
	}
	if q.File {
		more = append(more, "a PEM file")
	}
	switch {
	case q.Default != "":
		more = append(more, "none: "+q.Default)
	case q.Optional:
		more = append(more, "may be left out")
	}
	if len(more) == 0 {
		return q.Help + ": "
	}
	return q.Help + " (" + strings.Join(more, "; ") + "): "
}

// answer reads the answer, and asks again where it cannot be used. No answer is
// "" where the field is optional, and else an error.
func (q Question) answer(c terminal.Console) (string, error) {
	for {
		text, err := q.read(c)
		switch {
		case err != nil:
			return "", err
		case text == "" && !q.Optional:
			return "", clierror.Usage("the %s is needed", strings.NewReplacer("_", " ", ".", " ").Replace(q.Field))
		case text == "":
			return "", nil
		}
		text, problem := q.use(text)
		if problem == "" {
			return text, nil
		}
		c.Say("%s", problem)
	}
}

func (q Question) read(c terminal.Console) (string, error) {
	if !q.Secret {
		return c.Question(q.prompt())
	}
	answer, err := c.AskHidden(q.prompt())
	return answer.Reveal(), err
}

// use returns the value that an answer stands for, or why there is none.
func (q Question) use(answer string) (value, problem string) {
	switch {
	case q.File:
		text, err := readPEM(atHome(answer))
		if err != nil {
			return "", err.Error()
		}
		return text, ""
	case strings.HasPrefix(q.Field, placeholder.VariablePrefix):
		v := descriptor.Variable{Pattern: q.Pattern, Values: q.Values}
		if expected := v.Expects(answer); expected != "" {
			return "", fmt.Sprintf("expected %s", expected)
		}
	}
	return answer, ""
}
