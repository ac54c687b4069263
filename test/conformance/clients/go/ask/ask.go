// Package ask answers lines of JSON with lines of JSON, as the matrix wants them (see ../../matrix.mjs).
package ask

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// With holds what any command may be asked with.
type With struct {
	Topic      string
	Group      string
	Partition  int32
	Partitions int32
	Count      int
	Ms         int
	Values     []string
	Codec      string
	Idempotent bool
}

// Described is a group.
type Described struct {
	State   string `json:"state"`
	Members int    `json:"members"`
}

// NA says that a library has no such thing.
type NA struct {
	Why string `json:"na"`
}

// Command answers one line.
type Command func(With) (any, error)

// Serve answers until the input ends.
func Serve(commands map[string]Command) {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked struct {
			Do   string
			With With
		}
		answer := map[string]any{}
		if err = json.Unmarshal(line, &asked); err == nil {
			answer["ok"], err = commands[asked.Do](asked.With)
		}
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}

// Version of a module that this program was built with.
func Version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return strings.TrimPrefix(dependency.Version, "v")
		}
	}
	return "unknown"
}
