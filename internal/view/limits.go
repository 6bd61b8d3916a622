package view

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/crossplane-contrib/function-pod-identity-provider/apis/v1alpha1"
)

// MaxErrors is after how many errors nobody looks for more: who made that many has to begin with some of them.
const MaxErrors = 100

// Limits of what a composite resource and its defaults may say, in bytes as Crossplane sends them. What AWS and Kubernetes take is far
// below: a role's policies have 60 KiB at most, and an object in etcd 1.5 MiB. They hold before anything is decoded, so that what
// follows takes a time and memory that are known.
const (
	// maxServices is also that of the schema.
	maxServices = 200
	// maxPermissions of a service.
	maxPermissions = 256 << 10
	// maxPart of the spec, and of a service, that is anything else.
	maxPart = 64 << 10
	// maxShared bounds what all services have in common, for each of them.
	maxShared = 4 << 20
	// maxName is Kubernetes' own: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
	maxName = 253
)

// tooLarge finds what is beyond the limits in a spec, or in defaults, which have the same shape.
func tooLarge(at *field.Path, spec *structpb.Struct) field.ErrorList {
	errs := field.ErrorList{}
	// Crossplane keeps fields of its own in a spec, such as references to all that is composed.
	for _, name := range slices.Sorted(maps.Keys(structFields(reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]()))) {
		if name != fieldServices {
			errs = append(errs, atMost(at.Child(name), spec.GetFields()[name], maxPart)...)
		}
	}
	services := servicesOf(spec)
	if n := len(services); n > maxServices {
		return append(errs, field.TooMany(at.Child(fieldServices), n, maxServices))
	}
	for i, s := range services {
		fields := s.GetStructValue().GetFields()
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			limit := maxPart
			if name == "permissions" {
				limit = maxPermissions
			}
			if len(errs) <= MaxErrors {
				errs = append(errs, atMost(at.Child(fieldServices).Index(i).Child(name), fields[name], limit)...)
			}
		}
	}
	return errs
}

// tooMuchShared finds that services have more in common than can be written for each of them.
func tooMuchShared(at *field.Path, spec, defaults *structpb.Struct) field.ErrorList {
	shared := 0
	for name := range structFields(reflect.TypeFor[v1alpha1.PodIdentityProviderSpec]()) {
		if name != fieldServices {
			shared += proto.Size(spec.GetFields()[name]) + proto.Size(defaults.GetFields()[name])
		}
	}
	if n := len(servicesOf(spec)); n*shared > maxShared {
		return field.ErrorList{field.Forbidden(at, fmt.Sprintf("%d services share %d bytes of settings, together that may be %d bytes: say less, or divide the services among several objects", n, shared, maxShared))}
	}
	return nil
}

// longNames finds names that no object of Kubernetes can have.
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
