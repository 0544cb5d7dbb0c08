package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// stage is the name of the API's stage in the template.
const stage = "v1"

// template is a SAM template as a tree of YAML, so that tags such as !Sub stay what they are.
type template struct{ root *yaml.Node }

// function is a Lambda function of the template, and the node that says where its code is.
type function struct {
	name string
	code *yaml.Node
}

func parseTemplate(text []byte) (*template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is no template: there is no mapping at its top")
	}
	return &template{document.Content[0]}, nil
}

// text is the template as it is sent.
func (t *template) text() (string, error) {
	b, err := yaml.Marshal(t.root)
	return string(b), err
}

// functions are the functions whose code is in a folder, in the template's order.
func (t *template) functions() (all []function) {
	for name, properties := range t.resources("AWS::Serverless::Function") {
		if code := get(properties, "CodeUri"); code != nil && code.Kind == yaml.ScalarNode && !strings.HasPrefix(code.Value, "s3://") {
			all = append(all, function{name, code})
		}
	}
	return all
}

// nameAPI chooses the id of the API, with a tag that LocalStack understands. So its URL is known before the stack is there,
// and the functions can be given it: they could not refer to the API, which refers to them.
func (t *template) nameAPI(id string) {
	for _, properties := range t.resources("AWS::Serverless::Api") {
		tags := get(properties, "Tags")
		if tags == nil {
			tags = &yaml.Node{Kind: yaml.MappingNode}
			set(properties, "Tags", tags)
		}
		set(tags, "_custom_id_", scalar("!!str", id))
		set(properties, "PropagateTags", scalar("!!bool", "true")) // otherwise SAM tags the stage only
	}
}

// apiID makes an id of an API from the name of a stack, the same for the same name. Like API Gateway's own it has ten
// lower-case letters and digits. It does not hold the name itself, which clients replace where it occurs in a link.
func apiID(stack string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(stack)))[:10]
}

// complete returns the parameters of the deployment: those given, and those defaults that the template has a parameter for.
func (t *template) complete(given, defaults map[string]string) (map[string]string, error) {
	declared := map[string]bool{}
	for name := range pairs(get(t.root, "Parameters")) {
		declared[name] = true
	}
	for name := range given {
		if !declared[name] {
			return nil, fmt.Errorf("the template has no parameter %s; it has %s", name, strings.Join(slices.Sorted(maps.Keys(declared)), ", "))
		}
	}
	all := map[string]string{}
	for name, value := range defaults {
		if declared[name] {
			all[name] = value
		}
	}
	maps.Copy(all, given)
	return all, nil
}

// resources yields the name and the properties of each resource of a type.
func (t *template) resources(kind string) func(func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for name, resource := range pairs(get(t.root, "Resources")) {
			properties := get(resource, "Properties")
			if of := get(resource, "Type"); of != nil && of.Value == kind && properties != nil && !yield(name, properties) {
				return
			}
		}
	}
}

// get returns the value of a key of a mapping; nil when it is not there.
func get(mapping *yaml.Node, key string) *yaml.Node {
	for name, value := range pairs(mapping) {
		if name == key {
			return value
		}
	}
	return nil
}

// pairs yields the keys and values of a mapping.
func pairs(mapping *yaml.Node) func(func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if mapping == nil || mapping.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i].Value, mapping.Content[i+1]) {
				return
			}
		}
	}
}

// set gives a key of a mapping a value.
func set(mapping *yaml.Node, key string, value *yaml.Node) {
	if old := get(mapping, key); old != nil {
		*old = *value
		return
	}
	mapping.Content = append(mapping.Content, scalar("!!str", key), value)
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}
