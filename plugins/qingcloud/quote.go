package qingcloud

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Quote implements provider.Quoter through resizeClusterFee, which takes
// resizeCluster's parameters in the query. Its answer is not documented: a
// number "price" is understood, anything else is an error, never a guess.
// "A negative price after a downgrade is a refund" (EHPC API, resizeCluster).
func (p *plugin) Quote(ctx context.Context, req []byte) (provider.Price, error) {
	a, err := p.configured()
	if err != nil {
		return provider.Price{}, err
	}
	r, err := parseRequest(req)
	switch {
	case err != nil:
		return provider.Price{}, provider.Errorf(provider.KindInvalid, "%w", err)
	case r.Call != resizeCluster:
		return provider.Price{}, provider.Errorf(provider.KindUnsupported, "QingCloud tells the price of a resize only, not of %s", r.Call)
	case r.placeholder():
		return provider.Price{}, provider.Errorf(provider.KindUnsupported, "the price of a resize is known when its cluster exists")
	}
	params := map[string]string{}
	for name, value := range r.Body {
		params[name], _ = value.(string) // a resize has nothing but strings
	}
	var answer []byte
	_, err = a.read(ctx, "/api/cluster/resizeClusterFee", params, func(body []byte) error {
		answer = body
		return nil
	})
	if err != nil {
		return provider.Price{}, err
	}
	amount, err := price(answer)
	if err != nil {
		return provider.Price{}, err
	}
	// The answer names no currency, or none that is documented. Accounts of
	// this cloud are kept in RMB, so the price is read as such: a choice.
	return provider.Price{Amount: amount, Currency: "CNY"}, nil
}

func price(body []byte) (float64, error) {
	var answer struct {
		Price json.RawMessage `json:"price"`
	}
	err := json.Unmarshal(body, &answer)
	amount, numberErr := strconv.ParseFloat(strings.Trim(string(answer.Price), `"`), 64)
	if err != nil || numberErr != nil || math.IsNaN(amount) || math.IsInf(amount, 0) {
		return 0, provider.Errorf(provider.KindInternal, "resizeClusterFee: the answer holds no price")
	}
	return amount, nil
}
