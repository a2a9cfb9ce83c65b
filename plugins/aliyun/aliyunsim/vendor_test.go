package aliyunsim

import (
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// vendorCall sends one request with the vendor's own client.
func vendorCall(t *testing.T, b *bed, token, action, method, path string, query map[string]string, body any) (map[string]any, error) {
	t.Helper()
	for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
		t.Setenv(name, "") // the vendor's client sends even loopback there
	}
	config := &openapiutil.Config{
		AccessKeyId: &b.key, AccessKeySecret: &b.secret, Protocol: dara.String("http"),
		Endpoint: dara.String(strings.TrimPrefix(b.web.URL, "http://")),
	}
	if token != "" {
		config.SecurityToken = &token
	}
	client, err := openapi.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.DisableSDKError = dara.Bool(true)
	request := &openapiutil.OpenApiRequest{
		Headers: map[string]*string{"x-acs-date": dara.String(b.clock.Now().UTC().Format(dateForm))},
		Query:   map[string]*string{},
		Body:    body,
	}
	for name, value := range query {
		request.Query[name] = &value
	}
	params := &openapiutil.Params{
		Action: &action, Version: dara.String("2015-12-15"), Protocol: dara.String("HTTPS"), Pathname: &path, Method: &method,
		AuthType: dara.String("AK"), Style: dara.String("ROA"), ReqBodyType: dara.String("json"), BodyType: dara.String("json"),
	}
	return client.CallApiWithCtx(t.Context(), params, request, &dara.RuntimeOptions{})
}

// The vendor's client signs by its own code: what it sends must be taken.
func TestVendorClient(t *testing.T) {
	for _, token := range []string{"", "a/session+token=="} {
		b := newBed(t, Example(), cloudsim.Options{})
		for _, tt := range []struct {
			action, method, path string
			query                map[string]string
			body                 map[string]any
			status               string
		}{
			{"DescribeClustersV1", "GET", "/api/v1/clusters", map[string]string{"page_size": "10", "page_number": "1", "name": "a b+c*~/ü", "profile": ""}, nil, "200"},
			{"DescribeClusterDetail", "GET", "/clusters/" + edgeID, nil, nil, "200"},
			{"DescribeClusterNodes", "GET", "/clusters/" + edgeID + "/nodes", map[string]string{"pageSize": "100", "pageNumber": "1"}, nil, "200"},
			{"ScaleOutCluster", "POST", "/api/v2/clusters/" + edgeID, nil, map[string]any{
				"worker_instance_type": "ens.sn1.tiny", "ens_region_id": "cn-beijing-telecom", "worker_image_id": "m-1",
				"ens_internet_charge_type": "95BandwidthByMonth", "worker_period": 1, "key_pair": "ops", "count": 1,
				"worker_system_disk_size": 20, "is_edge_worker": true,
			}, "200"},
			{"ScaleOutCluster", "POST", "/api/v2/clusters/" + secureID, nil, map[string]any{
				"key_pair": "öps & <co>", "vswitch_ids": []string{"vsw-1"}, "worker_instance_types": []string{"ecs.ebmgn6i.24xlarge"},
				"worker_system_disk_category": "cloud_efficiency", "worker_system_disk_size": 120, "worker_data_disk": true,
				"worker_data_disk_category": "cloud_efficiency", "worker_data_disk_size": 240, "count": 1,
			}, "202"},
		} {
			var body any
			if tt.body != nil {
				body = maps.Clone(tt.body)
			}
			got, err := vendorCall(t, b, token, tt.action, tt.method, tt.path, tt.query, body)
			if err != nil {
				t.Errorf("token %q, %s: %v", token, tt.action, err)
				continue
			}
			if status := fmt.Sprint(got["statusCode"]); status != tt.status {
				t.Errorf("token %q, %s: status %s, want %s", token, tt.action, status, tt.status)
			}
		}
		if a, b := b.workers(edgeID), b.workers(secureID); a != 3 || b != 3 {
			t.Errorf("token %q: %d and %d workers, want 3 each", token, a, b)
		}
	}
}

// A recorded vector: what the vendor's own function made of this request.
func TestVector(t *testing.T) {
	const recorded = "ACS3-HMAC-SHA256 Credential=LTAIFAKE00000001," +
		"SignedHeaders=content-type;host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=83ec83caa2f286725a1a54a461f4711674d50ae8ec53fe6788d0aadc0364c8d9"
	headers := map[string]string{
		"x-acs-action": "DescribeClusterNodes", "x-acs-version": "2015-12-15", "x-acs-date": "2026-03-01T08:00:00Z",
		"x-acs-signature-nonce": "nonce-1", "x-acs-content-sha256": hexHash(nil), "content-type": "application/json; charset=utf-8",
		"x-acs-security-token": "a/session+token==", "x-acs-accesskey-id": AccessKeyID,
	}
	r := httptest.NewRequest("GET", "http://cs.cn-beijing.aliyuncs.com/clusters/c1/nodes?pageSize=100&name=a%20b%2Bc%2A~&pageNumber=1&empty=", nil)
	vendor := &dara.Request{
		Method: dara.String("GET"), Pathname: dara.String("/clusters/c1/nodes"),
		Query:   map[string]*string{"pageSize": dara.String("100"), "name": dara.String("a b+c*~"), "pageNumber": dara.String("1"), "empty": dara.String("")},
		Headers: map[string]*string{"host": dara.String("cs.cn-beijing.aliyuncs.com"), "accept": dara.String("application/json")},
	}
	for name, value := range headers {
		r.Header.Set(name, value)
		vendor.Headers[name] = &value
	}
	theirs := dara.StringValue(openapiutil.GetAuthorization(vendor, dara.String(algorithm), dara.String(hexHash(nil)), dara.String(AccessKeyID), dara.String(SecretKey)))
	signed := signedHeaders(r)
	ours := algorithm + " Credential=" + AccessKeyID + ",SignedHeaders=" + strings.Join(signed, ";") +
		",Signature=" + signature(SecretKey, stringToSign(r, signed, nil))
	if ours != recorded || theirs != recorded {
		t.Errorf("recorded %s\nvendor's %s\nours     %s", recorded, theirs, ours)
	}
}

// The vendor's client understands every kind of error answer.
func TestVendorClientErrors(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	_, err := vendorCall(t, b, "", "DescribeClusterDetail", "GET", "/clusters/none", nil, nil)
	var refused *openapi.ClientError
	if !errors.As(err, &refused) || dara.StringValue(refused.Code) != "ErrorClusterNotFound" || dara.StringValue(refused.RequestId) == "" {
		t.Errorf("service error: %v", err)
	}
	b.inject(cloudsim.Fault{Kind: cloudsim.Throttle, Call: "DescribeClusterDetail", Delay: 1500 * time.Millisecond})
	_, err = vendorCall(t, b, "", "DescribeClusterDetail", "GET", "/clusters/"+edgeID, nil, nil)
	var throttled *openapi.ThrottlingError
	if !errors.As(err, &throttled) || dara.Int64Value(throttled.RetryAfter) != 1500 {
		t.Errorf("throttling: %v", err)
	}
	b.secret = "another"
	_, err = vendorCall(t, b, "", "DescribeClusterDetail", "GET", "/clusters/"+edgeID, nil, nil)
	if !errors.As(err, &refused) || dara.StringValue(refused.Code) != "SignatureDoesNotMatch" {
		t.Errorf("gateway error: %v", err)
	}
}
