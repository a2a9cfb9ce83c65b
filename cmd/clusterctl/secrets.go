package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// These are all that a spec or a saved plan may name: otherwise a pull request could
// have any variable of the machine that applies it sent away.
var (
	secretVariable     = regexp.MustCompile(`^CCTL_SECRET_[A-Z0-9_]+$`)
	credentialVariable = regexp.MustCompile(`^CCTL_CRED_[A-Z0-9_]+$`)
)

// secret resolves a reference of a spec. Its error names the reference, never
// the value.
func (sh *shell) secret(reference map[string]any) (string, error) {
	if name, ok := reference["env"].(string); ok {
		if !secretVariable.MatchString(name) {
			return "", fmt.Errorf("a secret's variable begins with CCTL_SECRET_, not %s", name)
		}
		value := sh.getenv(name)
		if value == "" {
			return "", fmt.Errorf("%s is not set; export it before apply", name)
		}
		return value, nil
	}
	name, ok := reference["file"].(string)
	if !ok {
		return "", errors.New(`a secret is {env: "CCTL_SECRET_…"} or {file: "…"}`)
	}
	return sh.secretFile(name)
}

// secretFile reads a file below CCTL_SECRETS_DIR. The root refuses every way
// out of it, links included.
func (sh *shell) secretFile(name string) (string, error) {
	dir := sh.getenv("CCTL_SECRETS_DIR")
	if dir == "" {
		return "", fmt.Errorf("secret file %s: CCTL_SECRETS_DIR is not set", name)
	}
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("secret file %s: it must be below CCTL_SECRETS_DIR", name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("CCTL_SECRETS_DIR: %w", err)
	}
	defer root.Close()
	b, err := fs.ReadFile(root.FS(), filepath.ToSlash(name))
	if err != nil {
		return "", fmt.Errorf("secret file: %w", err)
	}
	value := strings.TrimRight(string(b), "\r\n")
	if value == "" {
		return "", fmt.Errorf("secret file %s is empty", name)
	}
	return value, nil
}
