// SPDX-License-Identifier: MIT

package dict_test

import (
	"fmt"
	"strings"

	"nftdict/dict"
	"nftdict/dict/dicttest"
)

// A file of statements fills a store, and what a store holds prints as such
// statements.
func ExampleLoad() {
	s := dicttest.NewMem(nil)
	err := dict.Load(s, strings.NewReader(`
		add table users { key string; field usergroups long_string alias user_group; field quota-exceeded bool default false }
		set users "al" user-group "sales" quota-exceeded true
		set users "bo"
		delete users "bo"
	`))
	if err != nil {
		fmt.Println(err)
		return
	}
	users, _ := s.Table("users")
	fmt.Println(string(dict.AppendTableBlock(nil, users)))
	for row := range s.Rows("users") {
		fmt.Println(string(dict.AppendRow(nil, &users, row)))
		fmt.Println(string(users.AppendRowJSON(nil, row)))
	}
	fmt.Println(dict.Load(s, strings.NewReader(`set users "al" aplication NETFLIX`)))
	// Output:
	// add table users {
	// 	key string
	// 	limit 65536
	// 	field usergroups long_string alias user_group
	// 	field quota_exceeded bool default false
	// }
	// set users "al" usergroups "sales" quota_exceeded true
	// {"key":"al","cells":{"usergroups":"sales","quota_exceeded":true}}
	// 1:16: set users "al": field "aplication": does not exist
}
