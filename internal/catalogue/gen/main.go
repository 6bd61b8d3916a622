// Command gen generates pages and policies from the catalogue. It prints docs/catalogue.md or, with policies and kinds such as
// s3/Bucket, the policies that are derived for these. With the argument kinds it writes docs/kinds.md and the pages of docs/kinds.
package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := run(os.Args[1:])
	if err == nil {
		_, err = os.Stdout.WriteString(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) (string, error) {
	switch {
	case len(args) == 0:
		return page(), nil
	case args[0] == "kinds":
		return "", writeKinds(".")
	case args[0] == "policies":
		return policies(args[1:])
	}
	return "", fmt.Errorf("%q is not known", args[0])
}
