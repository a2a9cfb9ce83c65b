package rpc

import (
	"encoding/json"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

func toDescription(d *provider.Description) *wire.Description {
	if d == nil {
		return nil
	}
	return &wire.Description{
		Name:         text(d.Name),
		Version:      text(d.Version),
		Schema:       &wire.Schema{Files: table(d.Schema.Files, same), Digest: text(d.Schema.Digest)},
		Kinds:        list(d.Kinds, toKind),
		Capabilities: texts(d.Capabilities),
		Credentials:  list(d.Credentials, toCredential),
		Domains:      texts(d.Domains),
		Identity:     texts(d.Identity),
		Rate: &wire.Rate{
			Requests:    int64(d.Rate.Requests),
			Per:         toDuration(d.Rate.Per),
			Concurrency: int64(d.Rate.Concurrency),
		},
	}
}

func fromDescription(d *wire.Description) *provider.Description {
	if d == nil {
		return nil
	}
	return &provider.Description{
		Name:         d.GetName(),
		Version:      d.GetVersion(),
		Schema:       provider.Schema{Files: table(d.GetSchema().GetFiles(), same), Digest: d.GetSchema().GetDigest()},
		Kinds:        list(d.GetKinds(), fromKind),
		Capabilities: texts(d.GetCapabilities()),
		Credentials:  list(d.GetCredentials(), fromCredential),
		Domains:      texts(d.GetDomains()),
		Identity:     texts(d.GetIdentity()),
		Rate: provider.Rate{
			Requests:    int(d.GetRate().GetRequests()),
			Per:         fromDuration(d.GetRate().GetPer()),
			Concurrency: int(d.GetRate().GetConcurrency()),
		},
	}
}

func toKind(k provider.Kind) *wire.Kind {
	return &wire.Kind{
		Name:         text(k.Name),
		Definition:   text(k.Definition),
		Creates:      k.Creates,
		AcceptWindow: toDuration(k.AcceptWindow),
		ReadLag:      toDuration(k.ReadLag),
	}
}

func fromKind(k *wire.Kind) provider.Kind {
	return provider.Kind{
		Name:         k.GetName(),
		Definition:   k.GetDefinition(),
		Creates:      k.GetCreates(),
		AcceptWindow: fromDuration(k.GetAcceptWindow()),
		ReadLag:      fromDuration(k.GetReadLag()),
	}
}

func toCredential(c provider.Credential) *wire.Credential {
	return &wire.Credential{Name: text(c.Name), Env: text(c.Env), Optional: c.Optional}
}

func fromCredential(c *wire.Credential) provider.Credential {
	return provider.Credential{Name: c.GetName(), Env: c.GetEnv(), Optional: c.GetOptional()}
}

func toConfig(c provider.Config) *wire.ConfigureRequest {
	out := &wire.ConfigureRequest{
		Entry:       text(c.Entry),
		Settings:    opaque(c.Settings),
		Endpoint:    text(c.Endpoint),
		Credentials: table(c.Credentials, toBytes),
		UserAgent:   text(c.UserAgent),
	}
	if c.Timing != nil {
		out.Timing = &wire.Timing{AcceptWindow: toDuration(c.Timing.AcceptWindow), ReadLag: toDuration(c.Timing.ReadLag)}
	}
	return out
}

func fromConfig(c *wire.ConfigureRequest) provider.Config {
	out := provider.Config{
		Entry:       c.GetEntry(),
		Settings:    json.RawMessage(opaque(c.GetSettings())),
		Endpoint:    c.GetEndpoint(),
		Credentials: table(c.GetCredentials(), fromBytes),
		UserAgent:   c.GetUserAgent(),
	}
	if t := c.GetTiming(); t != nil {
		out.Timing = &provider.Timing{AcceptWindow: fromDuration(t.GetAcceptWindow()), ReadLag: fromDuration(t.GetReadLag())}
	}
	return out
}
