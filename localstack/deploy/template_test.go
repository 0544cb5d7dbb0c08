package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `Transform: AWS::Serverless-2016-10-31
Parameters:
  PublicUrl: {Type: String}
  Size: {Type: Number}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
  First:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../lambdas/first
      Role: !GetAtt Role.Arn
      Environment: {Variables: {TABLE: !Ref Table, LEVEL: !If [HasLevel, !Ref Level, "007"]}}
  Elsewhere:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://bucket/key
  Second:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../lambdas/second
  Foreign:
    Type: Another::Kind::OfProgram
    Properties:
      CodeUri: ../foreign
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Description: !Sub "the API of ${AWS::StackName}"
`

func parse(t *testing.T, text string) *template {
	t.Helper()
	parsed, err := parseTemplate([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestTheTemplateKeepsWhatIsNotChanged(t *testing.T) {
	t.Parallel()
	tmpl := parse(t, sample)
	var names []string
	for _, f := range tmpl.functions() {
		names = append(names, f.name+" "+f.code.Value)
		f.code.Value = "s3://code/" + f.name
	}
	if diff := cmp.Diff([]string{"First ../lambdas/first", "Second ../lambdas/second"}, names); diff != "" {
		t.Errorf("the functions differ (-want +got):\n%s", diff)
	}
	tmpl.nameAPI("abc123")
	text, err := tmpl.text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"CodeUri: s3://code/First", "CodeUri: s3://code/Second", "CodeUri: s3://bucket/key", "CodeUri: ../foreign",
		"!GetAtt Role.Arn", "!Ref Table", `!If [HasLevel, !Ref Level, "007"]`, `!Sub "the API of ${AWS::StackName}"`,
		"_custom_id_: abc123", "PropagateTags: true",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %s:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "_custom_id_"); n != 1 {
		t.Errorf("%d resources are named; want the API only:\n%s", n, text)
	}
}

func TestTagsThatAreThereStay(t *testing.T) {
	t.Parallel()
	tmpl := parse(t, strings.Replace(sample, "StageName: v1", "PropagateTags: false\n      Tags: {team: orders, _custom_id_: other}", 1))
	tmpl.nameAPI("abc123")
	text, err := tmpl.text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"{team: orders, _custom_id_: abc123}", "PropagateTags: true"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %s:\n%s", want, text)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	tmpl := parse(t, sample)
	defaults := map[string]string{"PublicUrl": "http://default", "Size": "1", "Unknown": "x"}
	got, err := tmpl.complete(map[string]string{"Size": "2"}, defaults)
	if want := map[string]string{"PublicUrl": "http://default", "Size": "2"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	_, err = tmpl.complete(map[string]string{"Sice": "2"}, defaults)
	if want := "the template has no parameter Sice; it has PublicUrl, Size"; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

func TestWhatIsNoTemplate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "- a\n- b\n", "a: [", "just text"} {
		if _, err := parseTemplate([]byte(text)); err == nil {
			t.Errorf("%q is taken for a template", text)
		}
	}
}

// The template of the repository is what this is for.
func TestTheRepositorysTemplate(t *testing.T) {
	t.Parallel()
	folder := filepath.FromSlash("../../infra")
	text, err := os.ReadFile(filepath.Join(folder, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := parse(t, string(text))
	found := tmpl.functions()
	for _, f := range found {
		if _, err := os.Stat(filepath.Join(folder, f.code.Value, "main.go")); err != nil {
			t.Errorf("the code of %s: %v", f.name, err)
		}
	}
	if len(found) != 3 {
		t.Errorf("it has %d functions; want 3", len(found))
	}
	all, err := tmpl.complete(nil, local("http://127.0.0.1:4566/api"))
	if err != nil || len(all) != len(local("")) {
		t.Errorf("of the parameters for an emulator it takes %v, %v", all, err)
	}
}

func TestTheIDOfAnAPI(t *testing.T) {
	t.Parallel()
	a, b := apiID("orders"), apiID("orders-2")
	if a == b || a != apiID("orders") {
		t.Errorf("the ids of two stacks are %s and %s", a, b)
	}
	if len(a) != 10 || strings.Trim(a, "0123456789abcdef") != "" {
		t.Errorf("%q is no id of an API", a)
	}
}
