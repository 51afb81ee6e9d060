// SPDX-License-Identifier: MIT

package rule

import (
	"fmt"

	"github.com/google/nftables/expr"

	"nftdict/dict"
)

// Verdict is a statement that ends the rule; Continue alone does not. It may
// also be the value of a verdict map.
type Verdict struct {
	kind  expr.VerdictKind
	chain string
}

// Accept lets the packet pass this hook.
func Accept() Verdict { return Verdict{kind: expr.VerdictAccept} }

// Drop makes an end of the packet, in silence.
func Drop() Verdict { return Verdict{kind: expr.VerdictDrop} }

// Continue goes on with the next rule, as every rule does at its end.
func Continue() Verdict { return Verdict{kind: expr.VerdictContinue} }

// Return goes on behind the rule that jumped to this chain; in a base chain it
// is the chain's policy.
func Return() Verdict { return Verdict{kind: expr.VerdictReturn} }

// Jump goes on in another chain of the table, and behind this rule afterwards.
func Jump(chain string) Verdict { return Verdict{kind: expr.VerdictJump, chain: chain} }

// Goto goes on in another chain of the table, and not behind this rule.
func Goto(chain string) Verdict { return Verdict{kind: expr.VerdictGoto, chain: chain} }

// String returns the verdict as nft writes it.
func (v Verdict) String() string {
	switch v.kind {
	case expr.VerdictAccept:
		return "accept"
	case expr.VerdictDrop:
		return "drop"
	case expr.VerdictContinue:
		return "continue"
	case expr.VerdictReturn:
		return "return"
	case expr.VerdictJump:
		return "jump " + v.chain
	}
	return "goto " + v.chain
}

func (v Verdict) build(b *builder) error {
	if v.kind == expr.VerdictJump || v.kind == expr.VerdictGoto {
		if v.chain == "" {
			return fmt.Errorf("%w: it names no chain", dict.ErrInvalid)
		}
		if v.chain == b.chain.Name {
			return fmt.Errorf("%w: a chain cannot call itself", dict.ErrInvalid)
		}
		if err := b.batch.callable(b.chain.Table, v.chain); err != nil {
			return err
		}
	}
	b.add(&expr.Verdict{Kind: v.kind, Chain: v.chain})
	if v.kind != expr.VerdictContinue {
		b.ends(v.String())
	}
	return nil
}

func (v Verdict) remedy() string {
	if v.chain == "" {
		return ""
	}
	return "the chain has to be there, in the same table, without a hook, and may not lead back here"
}
