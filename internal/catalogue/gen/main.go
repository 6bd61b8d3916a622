// Command gen prints the pages that are made of the catalogue: docs/catalogue.md and, with the argument kinds, docs/kinds.md.
package main

import (
	"fmt"
	"os"
)

func main() {
	text := page()
	if len(os.Args) > 1 && os.Args[1] == "kinds" {
		text = kindsPage(".")
	}
	if _, err := os.Stdout.WriteString(text); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
