// Package crd checks objects against CustomResourceDefinitions the way an API server with strict field validation
// does: unknown fields, defaults, the OpenAPI schema, lists, metadata and CEL rules.
package crd

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xcrd"
	xpextv1 "github.com/crossplane/crossplane/apis/v2/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// A Checker has the kinds of one release, as in a cluster that runs it. It reads a definition at the first use. A Checker is
// safe for concurrent use.
type Checker struct {
	// Name for messages.
	Name string

	dirs  []string
	mx    sync.Mutex
	kinds map[kschema.GroupVersionKind]*kind
}

// A kind is one version of a CustomResourceDefinition.
type kind struct {
	structural *schema.Structural
	schema     validation.SchemaValidator
	cel        *cel.Validator
	namespaced bool
	typed      func() (managedfields.TypeConverter, error)
}

// New returns a Checker of the definitions in some folders, in files named GROUP_PLURAL.yaml.
func New(name string, dirs ...string) *Checker {
	return &Checker{Name: name, dirs: dirs, kinds: map[kschema.GroupVersionKind]*kind{}}
}

// Add adds a definition.
func (c *Checker) Add(crd *extv1.CustomResourceDefinition) error {
	c.mx.Lock()
	defer c.mx.Unlock()
	return c.add(crd)
}

func (c *Checker) add(crd *extv1.CustomResourceDefinition) error {
	for _, v := range crd.Spec.Versions {
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			return fmt.Errorf("%s: version %q has no schema", crd.GetName(), v.Name)
		}
		props := &apiextensions.JSONSchemaProps{}
		if err := extv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, props, nil); err != nil {
			return err
		}
		s, err := schema.NewStructural(props)
		if err != nil {
			return fmt.Errorf("%s: version %q: %w", crd.GetName(), v.Name, err)
		}
		sv, _, err := validation.NewSchemaValidator(props)
		if err != nil {
			return fmt.Errorf("%s: version %q: %w", crd.GetName(), v.Name, err)
		}
		gvk := kschema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.Kind}
		c.kinds[gvk] = &kind{
			structural: s,
			schema:     sv,
			cel:        cel.NewValidator(s, true, celconfig.PerCallLimit),
			namespaced: crd.Spec.Scope == extv1.NamespaceScoped,
			typed:      sync.OnceValues(func() (managedfields.TypeConverter, error) { return typed(crd, v.Name) }),
		}
	}
	return nil
}

// HasGroup reports whether there is any kind in an API group.
func (c *Checker) HasGroup(group string) bool {
	c.mx.Lock()
	defer c.mx.Unlock()
	for gvk := range c.kinds {
		if gvk.Group == group {
			return true
		}
	}
	return len(c.files(group)) > 0
}

// Check checks an object that is about to be created. Without an error, the API server would accept it.
func (c *Checker) Check(ctx context.Context, obj *unstructured.Unstructured) field.ErrorList {
	u := obj.DeepCopy()
	if u.GetName() == "" {
		u.SetName("made-up-by-crossplane")
	}
	errs := c.CheckContent(ctx, u)

	k, err := c.kind(obj.GroupVersionKind())
	if err != nil {
		return errs // Reported above.
	}
	return append(errs, apivalidation.ValidateObjectMetaAccessor(u, k.namespaced, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))...)
}

// typed returns the converter that an API server uses for server-side apply.
func typed(crd *extv1.CustomResourceDefinition, version string) (managedfields.TypeConverter, error) {
	s, err := builder.BuildOpenAPIV3(crd, version, builder.Options{})
	if err != nil {
		return nil, err
	}
	return managedfields.NewTypeConverter(s.Components.Schemas, crd.Spec.PreserveUnknownFields)
}

// Apply applies an object as an API server does before validation: it converts the object to a typed value. Crossplane cannot report an
// error at this stage and continue.
func (c *Checker) Apply(obj *unstructured.Unstructured) error {
	k, err := c.kind(obj.GroupVersionKind())
	if err != nil {
		return err
	}
	converter, err := k.typed()
	if err != nil {
		return err
	}
	_, err = converter.ObjectToTyped(obj)
	return err
}

// CheckUpdate checks an update of an object, as far as it depends on the previous version.
func (c *Checker) CheckUpdate(ctx context.Context, was, is *unstructured.Unstructured) field.ErrorList {
	k, err := c.kind(is.GroupVersionKind())
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	errs, _ := k.cel.Validate(ctx, nil, k.structural, is.Object, was.Object, celconfig.RuntimeCELCostBudget)
	return errs
}

// CheckContent checks the content of something that is not an object of the API server, and so needs no name, such as a
// function's input.
func (c *Checker) CheckContent(ctx context.Context, obj *unstructured.Unstructured) field.ErrorList {
	k, err := c.kind(obj.GroupVersionKind())
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}

	u := runtime.DeepCopyJSON(obj.Object)

	var unknowns, errs field.ErrorList
	unknown := pruning.PruneWithOptions(u, k.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		unknowns = append(unknowns, field.Forbidden(field.NewPath(path), "unknown field"))
	}

	if err := objectmeta.Coerce(nil, u, k.structural, true, false); err != nil {
		errs = append(errs, err)
	}
	defaulting.Default(u, k.structural)
	errs = append(errs, validation.ValidateCustomResource(nil, u, k.schema)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, u)...)
	errs = append(errs, objectmeta.Validate(nil, u, k.structural, false)...)

	if k.cel != nil && len(errs) == 0 { // An API server does not evaluate rules for an object that is already invalid.
		violations, _ := k.cel.Validate(ctx, nil, k.structural, u, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, violations...)
	}
	return append(unknowns, errs...)
}

// Default sets an object's defaults in place, as the API server does before any client sees the object.
func (c *Checker) Default(obj *unstructured.Unstructured) error {
	k, err := c.kind(obj.GroupVersionKind())
	if err != nil {
		return err
	}
	defaulting.Default(obj.Object, k.structural)
	return nil
}

// kind returns a kind, and reads its definition if necessary.
func (c *Checker) kind(gvk kschema.GroupVersionKind) (*kind, error) {
	c.mx.Lock()
	defer c.mx.Unlock()

	if k := c.kinds[gvk]; k != nil {
		return k, nil
	}
	for _, path := range c.files(gvk.Group) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		// Some files are large, and only one is needed.
		if !bytes.Contains(b, []byte("\n    kind: "+gvk.Kind+"\n")) {
			continue
		}
		crd := &extv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(b, crd); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := c.add(crd); err != nil {
			return nil, err
		}
	}
	if k := c.kinds[gvk]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("%s has no kind %q in %q", c.Name, gvk.Kind, gvk.GroupVersion())
}

// files returns the files that may define kinds of an API group.
func (c *Checker) files(group string) []string {
	var out []string
	for _, dir := range c.dirs {
		paths, _ := filepath.Glob(filepath.Join(dir, group+"_*.yaml")) // The pattern is well formed.
		out = append(out, paths...)
	}
	return out
}

// ReadCRD reads a CustomResourceDefinition from a file.
func ReadCRD(path string) (*extv1.CustomResourceDefinition, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	crd := &extv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(b, crd); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return crd, nil
}

// ReadXRD reads a CompositeResourceDefinition from a file. It returns the definitions of the XR and the claim that Crossplane derives
// from it.
func ReadXRD(path string) (xr, claim *extv1.CustomResourceDefinition, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	xrd := &xpextv1.CompositeResourceDefinition{}
	if err := yaml.UnmarshalStrict(b, xrd); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if xr, err = xcrd.ForCompositeResource(xrd); err != nil {
		return nil, nil, err
	}
	claim, err = xcrd.ForCompositeResourceClaim(xrd)
	return xr, claim, err
}

// CheckDefinition reports why an API server would refuse a definition: schemas that are not structural, CEL rules that
// do not compile or that may cost too much, and so on.
func CheckDefinition(ctx context.Context, crd *extv1.CustomResourceDefinition) field.ErrorList {
	crd = crd.DeepCopy()
	crd.SetOwnerReferences(nil) // A file does not know the UID of its XRD.
	extv1.SetDefaults_CustomResourceDefinition(crd)
	extv1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)
	for _, v := range crd.Spec.Versions {
		if v.Storage {
			crd.Status.StoredVersions = []string{v.Name}
		}
	}
	internal := &apiextensions.CustomResourceDefinition{}
	if err := extv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, internal, nil); err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	return crdvalidation.ValidateCustomResourceDefinition(ctx, internal)
}

// Sorted returns error messages in a stable order, each on its own line.
func Sorted(errs field.ErrorList) string {
	lines := map[string]bool{}
	for _, e := range errs {
		lines[e.Error()] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "\n")
}
