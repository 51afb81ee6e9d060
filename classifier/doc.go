// SPDX-License-Identifier: MIT

// Package classifier tells from the first packets of a connection what the
// connection is: its protocol, the application behind it, a category, and the
// names that were seen on the way.
//
// The caller owns packets, sessions and time:
//
//	c := classifier.New(classifier.Options{})
//	var p classifier.Packet
//	var s classifier.Session // one per connection
//	if err := classifier.Decode(ip, &p); err == nil {
//		c.Begin(&s, p.Endpoints(), now) // once, with the original tuple
//		if c.Inspect(&s, &p, classifier.Original, now) == classifier.Done {
//			r := s.Result()
//			...
//		}
//	}
//
// One detector per protocol looks at payload, not at ports. Which detectors a
// payload is shown to is decided by its first byte. TCP is put in order within
// a fixed budget; what a detector learns from half a message (a server name in
// the first of two segments) is in the result at once.
//
// Everything read from packets is hostile. A name reaches a result only if it
// is a host name; no string longer than Options.MaxString does. What was left
// out is in the session's evidence, printable.
//
// It refuses: to read a clock, to start a goroutine, to talk to the kernel, to
// guess an application from a port or an address (what earlier sessions to a
// server were is told as inferred, never as seen), and to share what one
// client's DNS answers said with another client.
package classifier
