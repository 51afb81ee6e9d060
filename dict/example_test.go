// SPDX-License-Identifier: MIT

package dict_test

import (
	"fmt"
	"strings"

	"nftdict/dict"
	"nftdict/dict/dicttest"
)

// A text makes a table and a row, and both print as such a text.
func ExampleParser() {
	s := dicttest.NewMem(nil)
	p := dict.NewParser(strings.NewReader(`
		add table users { key string; field usergroups long_string alias user_group; field quota-exceeded bool default false }
		set users "al" user-group "sales" quota-exceeded true
		set users "al" aplication NETFLIX
	`))
	for {
		st, err := p.Next()
		if err != nil {
			break
		}
		switch st := st.(type) {
		case *dict.AddTableStmt:
			err = s.AddTable(st.Table)
		case *dict.SetStmt:
			err = set(s, st)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	users, _ := s.Table("users")
	fmt.Println(string(dict.AppendTableBlock(nil, users)))
	for row := range s.Rows("users") {
		fmt.Println(string(dict.AppendRow(nil, &users, row)))
		fmt.Println(string(users.AppendRowJSON(nil, row)))
	}
	// Output:
	// 4:18: set users "al": field "aplication": does not exist
	// add table users {
	// 	key string
	// 	limit 65536
	// 	field usergroups long_string alias user_group
	// 	field quota_exceeded bool default false
	// }
	// set users "al" usergroups "sales" quota_exceeded true
	// {"key":"al","cells":{"usergroups":"sales","quota_exceeded":true}}
}

func set(s dict.Store, st *dict.SetStmt) error {
	t, err := s.Table(st.TableName())
	if err != nil {
		return err
	}
	row, err := st.Row(&t)
	if err != nil {
		return err
	}
	return s.Put(t.Name, row)
}
