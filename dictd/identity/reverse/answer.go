// SPDX-License-Identifier: MIT

package reverse

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"nftdict/dict"
)

// maxAliases is how many names for a name are followed: networks smaller than a
// zone are delegated by them (RFC 2317).
const maxAliases = 4

// errAnswer says that an answer does not answer.
var errAnswer = errors.New("no answer to the question")

// errTruncated says that an answer did not fit into a datagram.
var errTruncated = errors.New("truncated")

// readAnswer returns the name in an answer to a question, "" if it says that there
// is none, and how long that holds. hostname returns a name as it is kept, "" if it is
// none.
func readAnswer(q *dns.Msg, a *dns.Msg, hostname func(string) string) (name string, ttl time.Duration, err error) {
	if a == nil || !a.Response || a.Id != q.Id || len(a.Question) != 1 || !strings.EqualFold(a.Question[0].Name, q.Question[0].Name) ||
		a.Question[0].Qtype != dns.TypePTR || a.Question[0].Qclass != dns.ClassINET {
		return "", 0, errAnswer
	}
	if a.Truncated { // what is left out may be the name
		return "", 0, errTruncated
	}
	if a.Rcode == dns.RcodeNameError {
		return "", noneTTL, nil
	}
	if a.Rcode != dns.RcodeSuccess {
		return "", 0, fmt.Errorf("%w: %s", errAnswer, dns.RcodeToString[a.Rcode])
	}
	owner := q.Question[0].Name
	for range maxAliases {
		next := ""
		for _, rr := range a.Answer {
			if !strings.EqualFold(rr.Header().Name, owner) {
				continue
			}
			switch rr := rr.(type) {
			case *dns.PTR:
				if name := hostname(rr.Ptr); name != "" && len(name) <= dict.MaxString {
					return name, clamp(rr.Hdr.Ttl), nil
				}
			case *dns.CNAME:
				next = rr.Target
			}
		}
		if next == "" {
			break
		}
		owner = next
	}
	return "", noneTTL, nil
}

// clamp returns seconds as a time within bounds.
func clamp(seconds uint32) time.Duration {
	return min(max(time.Duration(seconds)*time.Second, leastTTL), mostTTL)
}
