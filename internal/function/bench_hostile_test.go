package function

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	fnv1 "github.com/crossplane/function-sdk-go/proto/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// maxRequest is the default limit of the function (--max-recv-message-size).
const maxRequest = 4 << 20

// hostile returns requests that each contain as much of one thing as fits.
func hostile(t testing.TB) map[string]func() *fnv1.RunFunctionRequest {
	t.Helper()
	return map[string]func() *fnv1.RunFunctionRequest{
		"Services": func() *fnv1.RunFunctionRequest {
			return hostileSpec(t, map[string]any{"services": many(100_000, func(i int) any { return map[string]any{"name": fmt.Sprintf("s%d", i)} })})
		},
		"ServicesOfOneName": func() *fnv1.RunFunctionRequest {
			req := hostileSpec(t, map[string]any{"services": many(200, func(int) any { return map[string]any{"name": "s3"} })})
			req.Input = mustStruct(t, map[string]any{"defaults": map[string]any{"services": []any{map[string]any{
				"name": "s3", "permissions": map[string]any{"policyDocument": document(200_000)},
			}}}})
			return req
		},
		"FullServices": func() *fnv1.RunFunctionRequest {
			req := hostileServices(t, 200, func(i int) map[string]any {
				return map[string]any{"name": fmt.Sprintf("s%d", i), "package": fmt.Sprintf("registry.example.org/x/provider-aws-s%d", i), "permissions": map[string]any{"policyDocument": document(18_000)}}
			})
			req.Input = mustStruct(t, map[string]any{"prerequisites": "Assume"})
			return req
		},
		"Env": func() *fnv1.RunFunctionRequest {
			return hostileSpec(t, map[string]any{"runtime": map[string]any{"env": many(150_000, func(i int) any { return map[string]any{"name": fmt.Sprintf("E%d", i)} })}})
		},
		"EnvOfEachService": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 100, func(int) map[string]any {
				return map[string]any{"name": "s3", "runtime": map[string]any{"env": many(1500, func(i int) any { return map[string]any{"name": fmt.Sprintf("E%d", i/2)} })}}
			})
		},
		"SharedByAll": func() *fnv1.RunFunctionRequest {
			req := hostileServices(t, 200, func(i int) map[string]any { return map[string]any{"name": fmt.Sprintf("s%d", i)} })
			at(req.GetObserved().GetComposite().GetResource(), "spec").GetStructValue().Fields["runtime"] = mustValue(t, map[string]any{"podAnnotations": map[string]any{"a": strings.Repeat("x", 60_000)}})
			return req
		},
		"ManagedPolicyARNs": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 1, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"managedPolicyArns": many(90_000, func(i int) any { return fmt.Sprintf("arn:aws:iam::aws:policy/%d", i) })}}
			})
		},
		"ManagedPolicyARNsOfEachService": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 16, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"managedPolicyArns": many(7_000, func(i int) any { return fmt.Sprintf("arn:aws:iam::aws:policy/%d", i) })}}
			})
		},
		"ActionsTimesResources": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 16, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"statements": []any{map[string]any{
					"actions":   many(6_000, func(i int) any { return fmt.Sprintf("s3:Get%d", i) }),
					"resources": many(4_000, func(i int) any { return fmt.Sprintf("arn:aws:s3:::bucket-%d", i) }),
				}}}}
			})
		},
		"InvalidActions": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 16, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"statements": many(100, func(int) any {
					return map[string]any{"actions": many(500, func(int) any { return "" })}
				})}}
			})
		},
		"DeniedActions": func() *fnv1.RunFunctionRequest {
			req := hostileServices(t, 70, func(i int) map[string]any {
				return map[string]any{"name": fmt.Sprintf("s%d", i), "package": fmt.Sprintf("registry.example.org/x/provider-aws-s%d", i), "permissions": map[string]any{"statements": []any{map[string]any{
					"actions": many(10, func(i int) any { return "iam:" + strings.Repeat("**a", 1500) + fmt.Sprint(i) + "*" }), "resources": []any{"*"},
				}}}}
			})
			req.Input = mustStruct(t, map[string]any{"guardrails": map[string]any{"deniedActions": many(100, func(i int) any { return fmt.Sprintf("iam:Pass%dRole", i) })}})
			return req
		},
		"PolicyDocument": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 1, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"policyDocument": document(4_000_000)}}
			})
		},
		"PolicyDocumentOfEachService": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 16, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"policyDocument": document(250_000)}}
			})
		},
		"PolicyDocumentWithoutSense": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 16, func(int) map[string]any {
				return map[string]any{"name": "s3", "permissions": map[string]any{"policyDocument": `{"a":0` + strings.Repeat(`,"a":0`, 40_000) + `}`}}
			})
		},
		"LongConditionKeys": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 16, func(int) map[string]any {
				keys := map[string]any{}
				for i := range 6_000 {
					keys[fmt.Sprintf("aws:k%d", i)] = []any{"v"}
				}
				return map[string]any{"name": "s3", "permissions": map[string]any{"statements": []any{map[string]any{
					"actions": []any{"s3:*"}, "resources": []any{"*"}, "conditions": map[string]any{strings.Repeat("x", 100_000): keys},
				}}}}
			})
		},
		"DeepTemplate": func() *fnv1.RunFunctionRequest {
			return hostileServices(t, 50, func(int) map[string]any {
				return map[string]any{"name": "s3", "runtime": map[string]any{"deploymentTemplate": nested(3_000)}}
			})
		},
		"DeepObserved": func() *fnv1.RunFunctionRequest {
			req := loadStep(t, "example/quickstart/04-ready").request()
			for _, r := range req.GetObserved().GetResources() {
				r.Resource.Fields["spec"] = mustValue(t, nested(3_000))
				r.Resource.Fields["status"] = mustValue(t, nested(3_000))
			}
			return req
		},
		"DeepSpec": func() *fnv1.RunFunctionRequest {
			return hostileSpec(t, map[string]any{"unknown": nested(3_000), "role": nested(3_000)})
		},
		"UnknownFields": func() *fnv1.RunFunctionRequest {
			req := hostileSpec(t, nil)
			fields := map[string]any{}
			for i := range 250_000 {
				fields[fmt.Sprint(i)] = nil
			}
			req.Input = mustStruct(t, fields)
			return req
		},
		"LongName": func() *fnv1.RunFunctionRequest {
			req := hostileServices(t, 200, func(i int) map[string]any { return map[string]any{"name": fmt.Sprintf("s%d", i)} })
			at(req.GetObserved().GetComposite().GetResource(), "metadata").GetStructValue().Fields["name"] = structpb.NewStringValue(strings.Repeat("x", 4_000_000))
			return req
		},
		"Observed": func() *fnv1.RunFunctionRequest {
			req := loadStep(t, "example/quickstart/04-ready").request()
			for i := range 4_000 {
				for _, r := range []string{"role", "policy", "association", "provider"} {
					key := fmt.Sprintf("%s/s%d", r, i)
					if i%4 == len(r)%4 {
						req.Observed.Resources[key] = &fnv1.Resource{Resource: mustStruct(t, failedObject(key, 500))}
					}
				}
			}
			return req
		},
		"ProviderMessage": func() *fnv1.RunFunctionRequest {
			req := loadStep(t, "example/quickstart/04-ready").request()
			for key := range req.GetObserved().GetResources() {
				req.Observed.Resources[key].Resource.Fields["status"] = mustValue(t, failedObject(key, 4_000_000/len(req.GetObserved().GetResources()))["status"])
			}
			return req
		},
		"MessageOfEachService": func() *fnv1.RunFunctionRequest {
			req := hostileServices(t, 200, func(i int) map[string]any {
				return map[string]any{"name": fmt.Sprintf("s%d", i), "package": fmt.Sprintf("registry.example.org/x/provider-aws-s%d", i), "permissions": map[string]any{"managedPolicyArns": []any{"arn:aws:iam::aws:policy/x"}}}
			})
			for i := range 200 {
				for _, kind := range []string{"role", "association"} {
					key := fmt.Sprintf("%s/s%d", kind, i)
					req.Observed.Resources[key] = &fnv1.Resource{Resource: mustStruct(t, failedObject(key, 9_000))}
				}
			}
			return req
		},
		"EarlierDesired": func() *fnv1.RunFunctionRequest {
			req := loadStep(t, "example/quickstart/04-ready").request()
			req.Desired = &fnv1.State{Resources: map[string]*fnv1.Resource{"theirs": {Resource: mustStruct(t, map[string]any{"x": strings.Repeat("x", 4_180_000)})}}}
			return req
		},
	}
}

// TestHostile checks that the function answers the largest requests, within the limits of Crossplane. BenchmarkHostile measures the time.
func TestHostile(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(hostile(t))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := hostile(t)[name]()
			if n := proto.Size(req); n > maxRequest {
				t.Fatalf("the request has %d bytes, and the function would not accept it", n)
			}
			rsp, err := newTestFunction().RunFunction(t.Context(), req)
			if err != nil {
				t.Fatalf("RunFunction(...): %v", err)
			}
			if n := proto.Size(rsp); n > maxResponse {
				t.Errorf("the response has %d bytes, Crossplane accepts %d", n, maxResponse)
			}
			for _, r := range rsp.GetResults() {
				if n := len(r.GetMessage()); n > maxMessage+100 {
					t.Errorf("a message has %d bytes", n)
				}
				if strings.Contains(r.GetMessage(), "internal error") {
					t.Errorf("it panicked: %s", r.GetMessage())
				}
			}
			if testing.Verbose() {
				for _, r := range rsp.GetResults() {
					t.Logf("%s: %d bytes: %s", r.GetSeverity(), proto.Size(rsp), cut(r.GetMessage(), 300))
				}
			}
		})
	}
}

// BenchmarkHostile measures the time and the allocations of the worst requests.
func BenchmarkHostile(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(hostile(b))) {
		b.Run(name, func(b *testing.B) {
			fn, req := newTestFunction(), hostile(b)[name]()
			b.ReportAllocs()
			start := must(cpuTime())
			for b.Loop() {
				if _, err := fn.RunFunction(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(must(cpuTime())-start)/float64(b.N)/1e6, "cpu-ms")
		})
	}
}

// hostileSpec returns a request whose composite resource has these fields in its spec.
func hostileSpec(t testing.TB, spec map[string]any) *fnv1.RunFunctionRequest {
	t.Helper()
	w := loadStep(t, "example/quickstart/01-first-reconcile")
	w.Meta = generations["v2.2 and later"]
	req := w.request()
	req.Observed.Resources = map[string]*fnv1.Resource{}
	fields := at(req.GetObserved().GetComposite().GetResource(), "spec").GetStructValue().GetFields()
	fields["provider"] = mustValue(t, map[string]any{"version": "v2.5.0"})
	for k, v := range spec {
		fields[k] = mustValue(t, v)
	}
	return req
}

func hostileServices(t testing.TB, n int, service func(int) map[string]any) *fnv1.RunFunctionRequest {
	t.Helper()
	return hostileSpec(t, map[string]any{"services": many(n, func(i int) any { return service(i) })})
}

func many(n int, f func(int) any) []any {
	out := make([]any, 0, n)
	for i := range n {
		out = append(out, f(i))
	}
	return out
}

// document returns a policy document of about the given size, with as many statements as fit.
func document(size int) string {
	const statement = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket"}`
	return `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(statement+",", size/(len(statement)+1)), ",") + `]}`
}

// nested returns an object with the given number of levels, with a null in each.
func nested(levels int) map[string]any {
	o := map[string]any{}
	for range levels {
		o = map[string]any{"a": o, "b": nil}
	}
	return o
}

// failedObject returns an object with a message of about the given size, which contains the typical parts of AWS's messages.
func failedObject(key string, size int) map[string]any {
	const part = "cannot create: RequestID: 0b9d7c9e-1111-2222-3333-444455556666, https response error StatusCode: 403, retrying in 12s, at 2025-01-01T00:00:00Z, attempt 3 of 10; "
	return map[string]any{
		"apiVersion": "iam.aws.upbound.io/v1beta1", "kind": "Role", "metadata": map[string]any{"name": strings.ReplaceAll(key, "/", "-")},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Synced", "status": "False", "message": strings.Repeat(part, 1+size/len(part))}}},
	}
}
