// SPDX-License-Identifier: MIT

// Package reverse asks DNS what addresses are called (PTR), by the resolvers of
// resolv.conf, while nobody waits: who wants a name is told when it comes. Answers
// are remembered for as long as they say, within bounds, and so is that there is
// none.
//
// A name is what the owner of the address calls it; nobody has checked that the
// name leads back to the address.
//
// It refuses names that are no host names or longer than a dictionary's values,
// answers to other questions, and whatever comes from elsewhere than the resolver that
// was asked. It is bounded: in questions a second, in those that wait, in who waits for
// them, and in names remembered; what is beyond is counted, and asked again when
// somebody next wants to know.
package reverse
