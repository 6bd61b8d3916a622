package main

import "testing"

func TestMessages(t *testing.T) {
	source := "package x\n\nimport \"some name/of a package\"\n\ntype t struct {\n\ta string `json:\"a, not a message\"`\n}\n\n" +
		"var key = \"one\"\n\nfunc f() string {\n\treturn \"it is \" +\n\t\t\"not ready\" + g(\"wait for it\")\n}\n"
	got, err := messages("x.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	want := "\n\n\n\n\n\n\n\n\n\n\nit is\nnot ready ... wait for it\n\n\n"
	if got != want {
		t.Errorf("messages should keep their lines, and leave out imports, tags and single words:\nwant %q\ngot  %q", want, got)
	}
}
