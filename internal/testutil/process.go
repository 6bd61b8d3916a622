package testutil

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Memory is the memory that a process uses.
type Memory struct {
	// Resident is the memory used now, Peak the most since the process started, both in KiB.
	Resident, Peak int
}

// MemoryOf returns the memory of a process. It returns false on a system that does not report it.
func MemoryOf(t testing.TB, pid int) (Memory, bool) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, false
	}
	return Memory{Resident: line(t, string(status), "VmRSS:"), Peak: line(t, string(status), "VmHWM:")}, true
}

// line returns the number of KiB from one line of a process's status.
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
