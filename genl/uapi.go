// SPDX-License-Identifier: MIT

package genl

// What kmod/nft_dict.yaml and kmod/nft_dict_uapi.h say; a test compares. Types
// of keys and values have the numbers that package dict gives them.

const (
	familyName    = "nft_dict"
	familyVersion = 1
	groupChanges  = "changes"
	groupWrites   = "writes"
)

// Bounds of a request.
const (
	maxRow  = 16384 // bytes of the values of a row
	maxRows = 4096  // rows of a request
	maxIDs  = 8192  // conntrack ids of a request
)

// Commands.
const (
	cmdTableNew = 1 + iota
	cmdTableDel
	cmdTableGet
	cmdFieldNew
	cmdRowPut
	cmdRowGet
	cmdRowDel
	cmdRowRenew
	cmdFlush
	cmdTableNtf
	cmdTableDelNtf
	cmdRowNtf
	cmdRowDelNtf
	cmdRowAdd
	cmdRecall
)

// Attributes of a message.
const (
	attrTable = 1 + iota
	attrTableID
	attrKeyType
	attrLimit
	attrTimeout
	attrFlags
	attrField
	attrRow
	attrRows
	attrRefused
	attrUsers
	attrCount
	attrRefusal
	attrBytes
	attrPad
	attrVersion
	attrIDs
	attrChanges
)

// Flags of a table.
const (
	tableBound = 1 << iota
	tableOpen
)

// Attributes of a cell, beside those of its value, whose number is the type's.
const (
	cellField = 9 + iota
	cellName
	cellPad
)

// Attributes of a row.
const (
	rowKey = 1 + iota
	rowTTL
	rowCell
)

// Attributes of a field.
const (
	fieldName = 1 + iota
	fieldType
	fieldDefault
	fieldAlias
	fieldIndex
)

// Attributes of a refusal.
const (
	refusalIndex = 1 + iota
	refusalError
	refusalMessage
	refusalOffset
)

// What the expression does.
const (
	opLoad = 1 + iota
	opMatch
	opSet
	opAdd
	opSub
	opFlush
	opAttach
)

// What the expression reads of a packet by itself.
const packetLength = 1

// How a match compares.
const (
	cmpEq = 1 + iota
	cmpNe
	cmpLt
	cmpLe
	cmpGt
	cmpGe
	cmpExists
	cmpMissing
)

// Attributes of the expression.
const (
	exprOp = 1 + iota
	exprLookup
	exprDReg
	exprCmp
	exprItems
	exprValue
	exprSReg
	exprSource
	exprLen
	exprText
	exprPacket
)

// Attributes of a lookup.
const (
	lookupTable = 1 + iota
	lookupField
	lookupType
	lookupSReg
	lookupCt
	lookupNested
	lookupLen
)

// Attributes of an item.
const (
	itemLo = 1 + iota
	itemHi
	itemTokens
	itemClasses
)

// Tokens of a glob beside bytes.
const (
	tokenAny   = 256
	tokenStar  = 257
	tokenClass = 258 // and the number of the class
)
