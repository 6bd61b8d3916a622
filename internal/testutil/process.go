package testutil

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Memory of a process.
type Memory struct {
	// Resident memory now, and its peak since the process began, in KiB.
	Resident, Peak int
}

// MemoryOf returns the memory of a process. Not every system reports it.
func MemoryOf(t testing.TB, pid int) (Memory, bool) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, false
	}
	return Memory{Resident: line(t, string(status), "VmRSS:"), Peak: line(t, string(status), "VmHWM:")}, true
}

// line returns a number of KiB in a process's status.
func line(t testing.TB, status, name string) int {
	t.Helper()
	_, number, _ := strings.Cut(status, name)
	number, _, _ = strings.Cut(number, "kB")
	kib, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		t.Fatalf("%s of a process: %v", name, err)
	}
	return kib
}
