package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var configureChecks = []check{
	{Rule{ID: "configure-sound", Text: "Configure takes a sound entry."}, configureSound},
	{Rule{ID: "configure-credentials", Text: "A missing or empty credential is refused at once as unauthenticated, and no other is shown."}, configureCredentials},
	{Rule{ID: "configure-settings", Text: "Malformed settings, also without what says which account it is, are refused at once as invalid."}, configureSettings},
	{Rule{ID: "configure-endpoint", Text: "An endpoint that is no address is refused at once as invalid, and a password in it is not shown."}, configureEndpoint},
}

// settings are the sound entry's.
func (b *bench) settings() map[string]json.RawMessage {
	var settings map[string]json.RawMessage
	if json.Unmarshal(b.opts.Config.Settings, &settings) != nil {
		return nil // configure-sound tells of it
	}
	return settings
}

func configureSound(ctx context.Context, b *bench) error {
	_, err := b.working(ctx)
	return err
}

// refuses demands that a new provider refuses cfg with an error of that kind.
func (b *bench) refuses(ctx context.Context, cfg provider.Config, kind provider.ErrorKind, fault string) error {
	err := b.fresh().Configure(ctx, cfg)
	if err == nil {
		return fmt.Errorf("%s: it was taken", fault)
	}
	for _, value := range b.opts.Config.Credentials {
		if len(value) >= shortSecret && strings.Contains(err.Error(), value) {
			return fmt.Errorf("%s: the error shows a credential", fault)
		}
	}
	var e *provider.Error
	if !errors.As(err, &e) || e.Kind != kind {
		return fmt.Errorf("%s: it was refused as %s, not as %s: %w", fault, provider.AsError(err).Kind, kind, err)
	}
	return nil
}

func configureCredentials(ctx context.Context, b *bench) error {
	required := 0
	for _, c := range b.description.Credentials {
		if c.Optional {
			continue
		}
		required++
		cfg := b.opts.Config
		cfg.Credentials = maps.Clone(cfg.Credentials)
		delete(cfg.Credentials, c.Name)
		if err := b.refuses(ctx, cfg, provider.KindUnauthenticated, "without "+c.Name); err != nil {
			return err
		}
		if cfg.Credentials == nil {
			cfg.Credentials = map[string]string{}
		}
		cfg.Credentials[c.Name] = ""
		if err := b.refuses(ctx, cfg, provider.KindUnauthenticated, "with an empty "+c.Name); err != nil {
			return err
		}
	}
	if required == 0 {
		return skip("no credential is required")
	}
	cfg := b.opts.Config
	cfg.Credentials = nil
	return b.refuses(ctx, cfg, provider.KindUnauthenticated, "without credentials")
}

func configureSettings(ctx context.Context, b *bench) error {
	malformed := []json.RawMessage{nil, json.RawMessage(`{`), json.RawMessage(`null`), json.RawMessage(`[]`), json.RawMessage(`"x"`)}
	for _, name := range b.description.Identity {
		settings := b.settings()
		delete(settings, name)
		malformed = append(malformed, provider.Raw(settings))
		settings[name] = json.RawMessage(`{"no": "text"}`)
		malformed = append(malformed, provider.Raw(settings))
	}
	for _, settings := range append(malformed, b.opts.Malformed...) {
		cfg := b.opts.Config
		cfg.Settings = settings
		if err := b.refuses(ctx, cfg, provider.KindInvalid, fmt.Sprintf("settings %s", settings)); err != nil {
			return err
		}
	}
	return nil
}

func configureEndpoint(ctx context.Context, b *bench) error {
	for _, endpoint := range []string{"://", "http://user:endpoint-password@127.0.0.1:1\x7f"} {
		cfg := b.opts.Config
		cfg.Endpoint = endpoint
		if err := b.refuses(ctx, cfg, provider.KindInvalid, fmt.Sprintf("endpoint %q", endpoint)); err != nil {
			return err
		}
		if err := b.fresh().Configure(ctx, cfg); strings.Contains(err.Error(), "endpoint-password") {
			return errors.New("the error shows the password in the endpoint")
		}
	}
	return nil
}
