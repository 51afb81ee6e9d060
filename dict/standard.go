// SPDX-License-Identifier: MIT

package dict

// Names of the standard tables.
const (
	Sessions = "sessions"
	Hosts    = "hosts"
	Devices  = "devices"
	Users    = "users"
	Groups   = "groups"
)

// Standard returns the tables that exist from the start. sessionLimit is the
// limit of rows of sessions, usually nf_conntrack_max.
func Standard(sessionLimit int) []Table {
	return []Table{
		{Name: Sessions, Key: KeyCtID, Limit: sessionLimit, Bound: true, Fields: sessionFields()},
		{Name: Hosts, Key: KeyAddress, Limit: 65536, Fields: []Field{
			{Name: "mac_address", Type: Ether},
			{Name: "mac_address_vendor", Type: String, Aliases: []string{"mac_vendor"}},
			{Name: "interface", Type: String},
			{Name: "hostname", Type: String},
			{Name: "host_profile", Type: String},
			{Name: "http_user_agent", Type: String},
			{Name: "username", Type: String},
			{Name: "quota_size", Type: Int64},
			{Name: "quota_remaining", Type: Int64},
			{Name: "quota_exceeded", Type: Bool},
			{Name: "quota_period", Type: Int64},
			{Name: "quota_plan", Type: String},
			{Name: "no_offload", Type: Bool},
			{Name: "captive_portal_authenticated", Type: Bool, Default: BoolValue(false)},
		}},
		{Name: Devices, Key: KeyEther, Limit: 65536, Fields: []Field{
			{Name: "mac_address_vendor", Type: String, Aliases: []string{"mac_vendor"}},
			{Name: "interface", Type: String},
			{Name: "hostname", Type: String},
			{Name: "device_profile", Type: String},
			{Name: "username", Type: String},
			{Name: "quota_size", Type: Int64},
			{Name: "quota_remaining", Type: Int64},
			{Name: "quota_exceeded", Type: Bool},
			{Name: "quota_period", Type: Int64},
			{Name: "quota_plan", Type: String},
			{Name: "no_offload", Type: Bool},
			{Name: "captive_portal_authenticated", Type: Bool, Default: BoolValue(false)},
		}},
		{Name: Users, Key: KeyString, Limit: 65536, Fields: []Field{
			{Name: "usergroups", Type: String, Aliases: []string{"user_group"}},
			{Name: "quota_size", Type: Int64},
			{Name: "quota_remaining", Type: Int64},
			{Name: "quota_exceeded", Type: Bool},
			{Name: "quota_period", Type: Int64},
			{Name: "quota_plan", Type: String},
			{Name: "quota_group", Type: String},
			{Name: "no_offload", Type: Bool},
		}},
		{Name: Groups, Key: KeyString, Limit: 65536, Fields: []Field{
			{Name: "quota_size", Type: Int64},
			{Name: "quota_remaining", Type: Int64},
			{Name: "quota_exceeded", Type: Bool},
			{Name: "quota_period", Type: Int64},
			{Name: "quota_plan", Type: String},
			{Name: "no_offload", Type: Bool},
		}},
	}
}

// sessionFields returns the fields of sessions, in the order in which
// listings show them. Addresses are of either family, ports and interface ids
// (ifindex) are ints, rates are bytes or packets a second.
func sessionFields() []Field {
	var fields []Field
	add := func(t Type, names ...string) {
		for _, n := range names {
			fields = append(fields, Field{Name: n, Type: t})
		}
	}
	alias := func(t Type, name string, aliases ...string) {
		fields = append(fields, Field{Name: name, Type: t, Aliases: aliases})
	}
	add(Int64, "session_id")
	add(Bool, "bypass_packetd", "final", "no_offload", "walled_garden")
	add(Int, "ip_protocol", "family")
	add(Address, "client_address", "server_address")
	add(Int, "client_port", "server_port")
	add(Address, "client_address_new", "server_address_new")
	add(Int, "client_port_new", "server_port_new")
	add(Int, "client_interface_id", "server_interface_id", "client_interface_type", "server_interface_type")
	add(Address, "local_address", "remote_address")
	add(Int64, "byte_rate", "client_byte_rate", "server_byte_rate", "packet_rate", "client_packet_rate", "server_packet_rate")
	for _, suffix := range []string{"", "_inferred"} {
		alias(String, "application"+suffix, "application_id"+suffix)
		add(String, "application_name"+suffix)
		alias(String, "application_protochain"+suffix, "application_chain"+suffix)
		add(String, "application_detail"+suffix)
		alias(String, "application_category"+suffix, "category"+suffix)
		add(Int, "application_confidence"+suffix, "application_productivity"+suffix, "application_risk"+suffix)
	}
	add(String, "ssl_sni", "tls_version", "alpn", "alpn_chosen", "ja3", "ja3s", "ja4", "quic_version", "http_user_agent", "http_url", "ssh_banner")
	add(String, "lookup_application", "client_dns_hint")
	alias(String, "server_dns_hint", "dns_prediction", "dns_request")
	add(String, "client_country", "server_country", "client_reverse_dns", "server_reverse_dns")
	add(Int, "client_hops", "server_hops")
	for _, side := range []string{"certificate_subject_", "certificate_issuer_"} {
		for _, part := range []string{"cn", "sn", "c", "o", "ou", "l", "p", "sa", "pc", "san"} {
			add(String, side+part)
		}
	}
	alias(String, "cert_dns_names", "server_cert_cn")
	add(String, "username")
	alias(String, "usergroups", "user_group")
	add(String, "client_hostname")
	return fields
}
