package engine_test

import (
	"math"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func yuan(amount float64, per string) provider.Price {
	return provider.Price{Amount: amount, Currency: "CNY", Per: per}
}

func TestCosts(t *testing.T) {
	priced := func(prices ...provider.Price) []engine.Action {
		var actions []engine.Action
		for _, p := range prices {
			actions = append(actions, engine.Action{Cost: &p})
		}
		return actions
	}
	tenths := make([]provider.Price, 1000)
	for i := range tenths {
		tenths[i] = yuan(0.1, "hour")
	}
	for name, tc := range map[string]struct {
		actions  []engine.Action
		sums     []provider.Price
		unpriced int
	}{
		"nothing":                   {nil, []provider.Price{}, 0},
		"nothing known":             {[]engine.Action{{}, {}}, []provider.Price{}, 2},
		"tenths":                    {priced(yuan(0.1, ""), yuan(0.2, "")), []provider.Price{yuan(0.3, "")}, 0},
		"many tenths":               {priced(tenths...), []provider.Price{yuan(100, "hour")}, 0},
		"large and small":           {priced(yuan(9007199254740991, ""), yuan(0.01, ""), yuan(-9007199254740991, "")), []provider.Price{yuan(0.01, "")}, 0},
		"noise of a fraction":       {priced(yuan(0.1+0.2, "")), []provider.Price{yuan(0.3, "")}, 0},
		"what cancels out is there": {priced(yuan(5, "month"), yuan(-5, "month")), []provider.Price{yuan(0, "month")}, 0},
		"units never mix, costs before refunds": {
			append(priced(yuan(-3, "month"), yuan(5, "once"), yuan(1, "month"), provider.Price{Amount: 2, Currency: "USD", Per: "once"}, yuan(7, "")), engine.Action{}),
			[]provider.Price{yuan(7, ""), yuan(5, "once"), {Amount: 2, Currency: "USD", Per: "once"}, yuan(-2, "month")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			sums, unpriced := engine.Costs(tc.actions)
			if diff := gocmp.Diff(tc.sums, sums); diff != "" || unpriced != tc.unpriced {
				t.Errorf("%d without a price, want %d; sums (-want +got):\n%s", unpriced, tc.unpriced, diff)
			}
		})
	}
}

func TestMoney(t *testing.T) {
	for _, tc := range []struct {
		price provider.Price
		sum   bool
		want  string
	}{
		{yuan(312, "month"), true, "+¥312.00 a month"},
		{yuan(-12, "month"), false, "refund ¥12.00 a month"},
		{yuan(0.245, "hour"), false, "+¥0.245 an hour"},
		{yuan(0.24, ""), false, "+¥0.24"},
		{yuan(0.24, ""), true, "+¥0.24 (period not documented)"},
		{yuan(-1234567.5, "once"), true, "refund ¥1,234,567.50 once"},
		{yuan(0, "month"), false, "¥0.00 a month"},
		{yuan(math.Copysign(0, -1), "month"), false, "¥0.00 a month"},
		{yuan(0.00000004, "month"), false, "¥0.00 a month"},
		{provider.Price{Amount: 999, Currency: "USD", Per: "day"}, false, "+USD 999.00 a day"},
		{provider.Price{Amount: 1e300}, false, ""},
	} {
		got := engine.Money(tc.price, tc.sum)
		if tc.want != "" && got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.price, got, tc.want)
		}
	}
}

func TestParseCostLimit(t *testing.T) {
	for text, unit := range map[string]string{
		"300": "", "0": "", "299.50": "", "300CNY": "CNY", "300 cny": "CNY", "300CNY/month": "CNY/month", "300/Month": "/month",
		"-1": "no", "+1": "no", "1,000": "no", "1e3": "no", "¥300": "no", "CNY": "no", "": "no", ".5": "no", "5.": "no", "300CNY/": "no",
		"300 CNY /month": "no", "NaN": "no", "Inf": "no", "0x10": "no", "300/CNY/month": "no", "１２": "no",
	} {
		limit, err := engine.ParseCostLimit(text)
		switch {
		case (err != nil) != (unit == "no"):
			t.Errorf("%q: error %v", text, err)
		case err == nil && (limit.Unit() != unit || limit.String() != text):
			t.Errorf("%q: unit %q, want %q; text %q", text, limit.Unit(), unit, limit)
		}
	}
}
