// SPDX-License-Identifier: MIT

package test

// As in nft_dict_uapi.h, which package genl's test compares with the same
// names.

// Commands of the generic netlink family.
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

// Attributes of a cell; those of values are the numbers of their types.
const (
	cellField = 9 + iota
	cellName
	cellPad
)

// Attributes of a row, of a field and of a refusal.
const (
	rowKey  = 1
	rowTTL  = 2
	rowCell = 3

	fieldName    = 1
	fieldType    = 2
	fieldDefault = 3
	fieldAlias   = 4
	fieldIndex   = 5

	refusalIndex   = 1
	refusalError   = 2
	refusalMessage = 3
	refusalOffset  = 4
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

// What the expression reads of a packet by itself.
const packetLength = 1

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

// Attributes of an item, and tokens of its glob beside bytes.
const (
	itemLo = 1 + iota
	itemHi
	itemTokens
	itemClasses

	tokenAny   = 256
	tokenStar  = 257
	tokenClass = 258
)
