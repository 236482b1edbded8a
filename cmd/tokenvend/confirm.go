package main

import "errors"

// confirm asks an operator whether to go on; nil: yes. nothing says what was
// not done: "nothing was written". Without a terminal to ask on, the command
// has to be given --yes.
func confirm(c console, question, nothing string) error {
	if !c.Interactive() {
		return usage("--yes is needed, since there is no terminal to ask on; %s", nothing)
	}
	answer, err := c.Ask(question + " [y/N] ")
	if err != nil {
		return err
	}
	if answer != "y" && answer != "yes" {
		return errors.New(nothing)
	}
	return nil
}
