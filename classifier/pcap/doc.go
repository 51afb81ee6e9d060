// SPDX-License-Identifier: MIT

// Package pcap classifies the connections in a capture file.
//
// Classify reads pcap and pcapng, with Ethernet, Linux cooked, loopback or raw
// IP packets in it, sorts the packets into flows and gives each flow a session
// of a classifier. Packets in IP-in-IP tunnels count for the flow inside.
//
// A file is as hostile as a packet: what a length field says is believed only
// up to fixed bounds, which is why the containers are read here and not by a
// library that allocates what the file asks for. It refuses packets longer than
// MaxRecord and more flows than Options.MaxFlows, and reassembles no IP
// fragments.
package pcap
