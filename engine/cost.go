package engine

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// moneyPlaces is how exactly amounts are taken. No cloud prices finer, and what
// a binary fraction has beyond is noise: 0.1 + 0.2 is 0.3 here.
const moneyPlaces = 6

// exact is an amount as a decimal number.
func exact(amount float64) *big.Rat {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(amount, 'f', moneyPlaces, 64))
	if !ok { // no number, which quoting refuses
		return new(big.Rat)
	}
	return r
}

// unit is what amounts must share to be added or compared.
type unit struct{ currency, per string }

func unitOf(p provider.Price) unit { return unit{p.Currency, p.Per} }

// String is the unit as --max-cost takes it: "CNY/month".
func (u unit) String() string {
	if u.per == "" {
		return u.currency
	}
	return u.currency + "/" + u.per
}

// Costs adds up the prices of actions, one sum for each currency and period:
// what costs before what is refunded. Unpriced actions have no price.
func Costs(actions []Action) (sums []provider.Price, unpriced int) {
	totals := map[unit]*big.Rat{}
	for i := range actions {
		price := actions[i].Cost
		if price == nil {
			unpriced++
			continue
		}
		u := unitOf(*price)
		if totals[u] == nil {
			totals[u] = new(big.Rat)
		}
		totals[u].Add(totals[u], exact(price.Amount))
	}
	sums = []provider.Price{}
	for u, total := range totals {
		amount, _ := total.Float64()
		sums = append(sums, provider.Price{Amount: amount, Currency: u.currency, Per: u.per})
	}
	slices.SortFunc(sums, func(a, b provider.Price) int {
		if refund := b.Amount < 0; refund != (a.Amount < 0) {
			if refund {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Per, b.Per))
	})
	return sums, unpriced
}

// Money words a price: "+¥312.00 a month", "refund ¥12.00 a month", and of a
// sum, which may be all that is read, that no document names its period.
func Money(p provider.Price, sum bool) string {
	words := amountWords(p)
	switch exact(p.Amount).Sign() {
	case 1:
		words = "+" + words
	case -1:
		words = "refund " + words
	}
	if p.Per == "" && sum {
		words += " (period not documented)"
	}
	return words
}

// amountWords is a price without its sign: "¥312.00 a month".
func amountWords(p provider.Price) string {
	words := decimal(new(big.Rat).Abs(exact(p.Amount)))
	switch p.Currency {
	case "CNY":
		words = "¥" + words
	case "":
	default:
		words = p.Currency + " " + words
	}
	switch p.Per {
	case "":
		return words
	case "once":
		return words + " once"
	case "hour":
		return words + " an hour"
	}
	return words + " a " + p.Per
}

// decimal is an amount as people write it: "1,234.50", with more places than
// two where they say something.
func decimal(r *big.Rat) string {
	whole, fraction, _ := strings.Cut(r.FloatString(moneyPlaces), ".")
	fraction = fraction[:2] + strings.TrimRight(fraction[2:], "0")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	return whole + "." + fraction
}
