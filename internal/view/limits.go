package view

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// MaxErrors is the number of errors after which checks stop: a user with that many has to begin with some of them.
const MaxErrors = 100

// Limits of a composite resource and its defaults, in bytes as Crossplane sends them. The limits of AWS and Kubernetes are far lower: a
// role's policies have 60 KiB at most, and an object in etcd 1.5 MiB. They are checked before anything is decoded, so that the time and
// memory of later steps are known.
const (
	// maxServices is also the limit of the schema.
	maxServices = 200
	// maxPermissions bounds the permissions of a service.
	maxPermissions = 256 << 10
	// maxPart bounds any other part of the spec, and of a service.
	maxPart = 64 << 10
	// maxShared bounds the settings that all services have in common, for each of them.
	maxShared = 4 << 20
	// maxNamespaces is how many entries for namespaces there may be, as in the schema.
	maxNamespaces = 200
	// maxName is Kubernetes' own limit: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
	maxName = 253
)

// tooLarge finds parts that exceed the limits in a spec, or in defaults, which have the same shape.
func tooLarge(at *field.Path, spec *structpb.Struct) field.ErrorList {
	// Crossplane keeps fields of its own in a spec, such as references to all composed resources.
	providers, tenants := structFields(providerKind.spec), structFields(tenantKind.spec)
	errs := longFields(at, spec, func(name string) int {
		if providers[name] == nil && tenants[name] == nil || name == fieldServices {
			return math.MaxInt
		}
		return maxPart
	})
	services := servicesOf(spec)
	if n := len(services); n > maxServices {
		return append(errs, field.TooMany(at.Child(fieldServices), n, maxServices))
	}
	for i, s := range services {
		if len(errs) > MaxErrors {
			break
		}
		errs = append(errs, longFields(at.Child(fieldServices).Index(i), s.GetStructValue(), func(name string) int {
			if name == "permissions" {
				return maxPermissions
			}
			return maxPart
		})...)
	}
	return errs
}

// longFields refuses fields of an object that exceed their limits.
func longFields(at *field.Path, o *structpb.Struct, limit func(string) int) field.ErrorList {
	var long []string
	for name, v := range o.GetFields() {
		if most := limit(name); most < math.MaxInt && proto.Size(v) > most {
			long = append(long, name)
		}
	}
	slices.Sort(long)
	errs := field.ErrorList{}
	for _, name := range long {
		errs = append(errs, field.TooLong(at.Child(name), field.OmitValueType{}, limit(name)))
	}
	return errs
}

// sharedSize is how many bytes of a spec, or of defaults, count for every service.
func sharedSize(spec *structpb.Struct) int {
	n := 0
	for name := range structFields(reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]()) {
		if name != fieldServices {
			n += proto.Size(spec.GetFields()[name])
		}
	}
	return n
}

// tooMuchShared refuses shared settings that are too large to be written for each service.
func tooMuchShared(at *field.Path, spec *structpb.Struct, layers []layer) field.ErrorList {
	shared := sharedSize(spec)
	for _, l := range layers {
		shared += l.shared
	}
	if n := len(servicesOf(spec)); n*shared > maxShared {
		return field.ErrorList{field.Forbidden(at, fmt.Sprintf("%d services share %d bytes of settings, and %d bytes are allowed for all of them together: shorten them, or divide the services among several objects", n, shared, maxShared))}
	}
	return nil
}

// longNames finds names that are too long for an object of Kubernetes.
func longNames(v *View) field.ErrorList {
	errs := field.ErrorList{}
	namespace, name := v.Claim()
	for _, n := range []struct {
		at    *field.Path
		value string
	}{
		{field.NewPath("metadata", "name"), v.XR.Name()},
		{field.NewPath("spec", "claimRef", "namespace"), namespace},
		{field.NewPath("spec", "claimRef", "name"), name},
	} {
		if len(n.value) > maxName {
			errs = append(errs, field.TooLong(n.at, field.OmitValueType{}, maxName))
		}
	}
	return errs
}

const fieldServices = "services"

func servicesOf(spec *structpb.Struct) []*structpb.Value {
	return spec.GetFields()[fieldServices].GetListValue().GetValues()
}

func atMost(at *field.Path, v *structpb.Value, limit int) field.ErrorList {
	if proto.Size(v) <= limit {
		return nil
	}
	return field.ErrorList{field.TooLong(at, field.OmitValueType{}, limit)}
}
