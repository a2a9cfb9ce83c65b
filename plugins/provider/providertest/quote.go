package providertest

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var quoteChecks = []check{
	{Rule{ID: "quote-price", Text: "Quote tells an action's price with its currency, the same each time, or that it has none as unsupported.", Needs: provider.CapQuote}, quotePrice},
	{Rule{ID: "quote-bad-request", Text: "Quote refuses a request that Plan did not make as invalid.", Needs: provider.CapQuote}, quoteBadRequest},
}

func quotePrice(ctx context.Context, b *bench) error {
	actions, err := b.actions(ctx)
	if err != nil {
		return err
	}
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	for _, r := range actions {
		first, err := p.Quote(ctx, r.action.Request)
		var e *provider.Error
		if errors.As(err, &e) && e.Kind == provider.KindUnsupported {
			continue
		}
		if err != nil {
			return fmt.Errorf("scenario %s: Quote: %w", r.Name, err)
		}
		if first.Currency == "" || math.IsNaN(first.Amount) || math.IsInf(first.Amount, 0) {
			return fmt.Errorf("scenario %s: the price is %v %q", r.Name, first.Amount, first.Currency)
		}
		err = b.times(func() error {
			again, err := p.Quote(ctx, r.action.Request)
			if err == nil && again != first {
				err = fmt.Errorf("the price is %v, and was %v", again, first)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("scenario %s: %w", r.Name, err)
		}
	}
	return nil
}

func quoteBadRequest(ctx context.Context, b *bench) error {
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	for _, request := range []string{"", "nonsense", "{}"} {
		_, err := p.Quote(ctx, []byte(request))
		if err == nil || provider.AsError(err).Kind != provider.KindInvalid {
			return fmt.Errorf("request %q: the error is not of kind invalid: %v", request, err)
		}
	}
	return nil
}
