package fakes

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func annotate(o *unstructured.Unstructured, k, v string) {
	as := o.GetAnnotations()
	if as == nil {
		as = map[string]string{}
	}
	as[k] = v
	o.SetAnnotations(as)
}

// String in an object; empty if it does not exist.
func String(o *unstructured.Unstructured, fields ...string) string {
	s, _, _ := unstructured.NestedString(o.Object, fields...)
	return s
}

// Condition of an object.
func Condition(o *unstructured.Unstructured, typ string) map[string]any {
	cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range cs {
		if m, ok := c.(map[string]any); ok && m["type"] == typ {
			return m
		}
	}
	return map[string]any{}
}

// condition sets a condition, with a new time if its status changed.
func condition(o *unstructured.Unstructured, typ, status, reason, message string) {
	c := map[string]any{"type": typ, "status": status, "reason": reason, "lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}
	if message != "" {
		c["message"] = message
	}
	cs, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for i, x := range cs {
		m, ok := x.(map[string]any)
		if !ok || m["type"] != typ {
			continue
		}
		if m["status"] == status {
			c["lastTransitionTime"] = m["lastTransitionTime"]
		}
		cs[i] = c
		_ = unstructured.SetNestedSlice(o.Object, cs, "status", "conditions")
		return
	}
	_ = unstructured.SetNestedSlice(o.Object, append(cs, c), "status", "conditions")
}

func equal(a, b any) bool {
	// Values that were set here and values that the API server sent differ in the types of numbers.
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
