package aliyun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

const (
	actionScaleOut = "ScaleOutCluster"

	// Fields of the worker group, and the path of its one secret in a spec.
	fieldCount     = "count"
	fieldPassword  = "login_password"
	secretPassword = "node_groups.worker.login_password"

	defaultPeriod = 1 // worker_period, months

	minPassword     = 8
	maxPassword     = 30
	passwordClasses = 3
)

// scaleOut is what Action.Request holds: one ScaleOutCluster, complete but for
// the password and the signature.
type scaleOut struct {
	Action    string          `json:"action"`
	Kind      string          `json:"kind"`
	ClusterID string          `json:"cluster_id"`
	Body      json.RawMessage `json:"body"`
}

// A body is the JSON of one of the two forms of the call. The vendor's typed
// structs have neither form's fields. Field order is that of the documents'
// examples.
type body interface {
	fields() *shared
}

// shared are the fields of both forms that the plugin itself decides on.
type shared struct {
	count    *int64
	password *string
	keyPair  string
}

// sandboxBody is the form for sandboxed-container clusters (ScaleOutCluster for
// sandboxed-container clusters, table 2 and request example).
type sandboxBody struct {
	LoginPassword            string   `json:"login_password,omitempty"`
	KeyPair                  string   `json:"key_pair,omitempty"`
	WorkerInstanceChargeType string   `json:"worker_instance_charge_type,omitempty"`
	VSwitchIDs               []string `json:"vswitch_ids"`
	WorkerInstanceTypes      []string `json:"worker_instance_types"`
	WorkerSystemDiskCategory string   `json:"worker_system_disk_category"`
	WorkerSystemDiskSize     int64    `json:"worker_system_disk_size"`
	WorkerDataDisk           bool     `json:"worker_data_disk"`
	WorkerDataDiskCategory   string   `json:"worker_data_disk_category"`
	WorkerDataDiskSize       int64    `json:"worker_data_disk_size"`
	Tags                     []tag    `json:"tags,omitzero"` // an empty list is sent, a missing one not
	Count                    int64    `json:"count"`
	DisableRollback          *bool    `json:"disable_rollback,omitempty"`
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (b *sandboxBody) fields() *shared { return &shared{&b.Count, &b.LoginPassword, b.KeyPair} }

// edgeBody is the form for edge clusters (ScaleOutCluster for edge clusters,
// request parameters and example). The table's ens_Internet_charge_type is
// ens_internet_charge_type in syntax and example, which is what is sent.
type edgeBody struct {
	TimeoutMins              int64  `json:"timeout_mins,omitempty"`
	WorkerInstanceType       string `json:"worker_instance_type"`
	ENSRegionID              string `json:"ens_region_id"`
	WorkerImageID            string `json:"worker_image_id"`
	ENSInternetChargeType    string `json:"ens_internet_charge_type"`
	WorkerInstanceChargeType string `json:"worker_instance_charge_type,omitempty"`
	WorkerPeriod             int64  `json:"worker_period"` // required, whatever the charge type
	WorkerAutoRenew          *bool  `json:"worker_auto_renew,omitempty"`
	WorkerAutoRenewPeriod    int64  `json:"worker_auto_renew_period,omitempty"`
	LoginPassword            string `json:"login_password,omitempty"`
	KeyPair                  string `json:"key_pair,omitempty"`
	Count                    int64  `json:"count"`
	WorkerSystemDiskSize     int64  `json:"worker_system_disk_size"`
	WorkerDataDiskSize       *int64 `json:"worker_data_disk_size,omitempty"`
	IsEdgeWorker             bool   `json:"is_edge_worker"`
}

func (b *edgeBody) fields() *shared { return &shared{&b.Count, &b.LoginPassword, b.KeyPair} }

// newBody returns an empty body of the kind's form.
func newBody(kind string) (body, error) {
	switch kind {
	case kindSandbox:
		return new(sandboxBody), nil
	case kindEdge:
		return &edgeBody{WorkerPeriod: defaultPeriod}, nil
	}
	return nil, fmt.Errorf("the plugin has no kind %q", kind)
}

// parseScaleOut reads a request that Plan made, perhaps in an earlier process.
func parseScaleOut(raw []byte) (scaleOut, body, error) {
	var req scaleOut
	if err := decodeStrict(raw, &req); err != nil {
		return req, nil, err
	}
	if req.Action != actionScaleOut {
		return req, nil, fmt.Errorf("action %q is not %s", req.Action, actionScaleOut)
	}
	if !pathID.MatchString(req.ClusterID) {
		return req, nil, fmt.Errorf("%q is not a cluster id", req.ClusterID)
	}
	b, err := newBody(req.Kind)
	if err != nil {
		return req, nil, err
	}
	if err := decodeStrict(req.Body, b); err != nil {
		return req, nil, fmt.Errorf("body: %w", err)
	}
	f := b.fields()
	switch {
	case *f.count < 1:
		return req, nil, fmt.Errorf("body: count is %d, not a number of nodes to add", *f.count)
	case *f.password != "":
		return req, nil, errors.New("body: login_password must not stand in a request")
	}
	return req, b, nil
}

// checkPassword applies the documented rule (login_password: 8 to 30
// characters, at least three of upper case, lower case, digit and special
// character). Its messages say nothing of the password.
func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword {
		return fmt.Errorf("login_password must have %d to %d characters", minPassword, maxPassword)
	}
	var upper, lower, digit, special int
	for _, r := range password {
		switch {
		case r >= 'A' && r <= 'Z':
			upper = 1
		case r >= 'a' && r <= 'z':
			lower = 1
		case r >= '0' && r <= '9':
			digit = 1
		case unicode.IsPunct(r) || unicode.IsSymbol(r):
			special = 1
		}
	}
	if upper+lower+digit+special < passwordClasses {
		return errors.New("login_password must have at least three of upper case letters, lower case letters, digits and special characters")
	}
	return nil
}

// encode is JSON without the escapes that are meant for web pages.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decodeStrict refuses unknown fields and anything behind the value.
func decodeStrict(raw []byte, out any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
