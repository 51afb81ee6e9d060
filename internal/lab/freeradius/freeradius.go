// SPDX-License-Identifier: MIT

// Package freeradius prepares a FreeRADIUS for tests: users in a file, accounting into
// another, and nothing that the machine's own has.
//
// It refuses requests that are not signed (Message-Authenticator), as it should.
package freeradius

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// Server is one that is to run from a directory.
type Server struct {
	Dir        string
	Auth, Acct netip.AddrPort // of one address
	Client     netip.Prefix   // who may ask
	Secret     string
	Users      string // as the file users has them
}

// configuration is filled with directory, secret, client, address, ports.
const configuration = `
prefix = /usr
logdir = %[1]s
raddbdir = %[1]s
libdir = /usr/lib/freeradius
run_dir = %[1]s
name = radius
max_request_time = 10
cleanup_delay = 2
max_requests = 1024
proxy_requests = no
log {
	destination = stdout
}
security {
	reject_delay = 0
	status_server = no
	allow_vulnerable_openssl = yes
}
client portal {
	ipaddr = %[3]s
	secret = "%[2]s"
	require_message_authenticator = yes
}
modules {
	pap {
	}
	files {
		filename = %[1]s/users
	}
	detail {
		filename = %[1]s/detail
	}
}
server default {
	listen {
		type = auth
		ipaddr = %[4]s
		port = %[5]d
	}
	listen {
		type = acct
		ipaddr = %[4]s
		port = %[6]d
	}
	authorize {
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
	}
	post-auth {
		update reply {
			&Message-Authenticator := 0x00
		}
		Post-Auth-Type REJECT {
			update reply {
				&Message-Authenticator := 0x00
			}
		}
	}
	accounting {
		detail
	}
}
`

// Write writes its files and returns the arguments of the program.
func (s *Server) Write() (args []string, err error) {
	for name, text := range map[string]string{
		"radiusd.conf": fmt.Sprintf(configuration, s.Dir, s.Secret, s.Client, s.Auth.Addr(), s.Auth.Port(), s.Acct.Port()), "users": s.Users,
	} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return []string{"-f", "-l", "stdout", "-d", s.Dir, "-D", "/usr/share/freeradius"}, nil
}

// Told returns what it has heard of sessions: attributes, one a line.
func (s *Server) Told() (string, error) {
	b, err := os.ReadFile(filepath.Join(s.Dir, "detail"))
	if err != nil && !os.IsNotExist(err) {
		return "", err
	}
	return strings.ReplaceAll(string(b), "\t", ""), nil
}
