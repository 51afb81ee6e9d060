// SPDX-License-Identifier: GPL-2.0-only
/* The memory of rows, bounded for each network namespace. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "nft_dict.h"

static unsigned long nft_dict_max_bytes;
module_param_named(max_bytes, nft_dict_max_bytes, ulong, 0644);
MODULE_PARM_DESC(max_bytes,
		 "most memory of the rows of one network namespace (0: an eighth of all)");

static unsigned long nft_dict_limit(void)
{
	unsigned long max = READ_ONCE(nft_dict_max_bytes);

	return max ? max : totalram_pages() << (PAGE_SHIFT - 3);
}

/* Bytes that an object of @size is charged with: what it takes of its slab. */
static long nft_dict_charge(size_t size)
{
	return kmalloc_size_roundup(size);
}

/* nft_dict_alloc - allocate a part of a row, -ENOMEM or -ENOBUFS. */
void *nft_dict_alloc(struct nft_dict_table *t, size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp | __GFP_NOWARN);
	long bytes;

	if (!p)
		return ERR_PTR(-ENOMEM);
	bytes = nft_dict_charge(size);
	atomic_long_add(bytes, &t->bytes);
	if (atomic_long_add_return(bytes, &t->dn->bytes) > nft_dict_limit()) {
		nft_dict_free(t, p, size);
		return ERR_PTR(-ENOBUFS);
	}
	return p;
}

/* nft_dict_uncharge - what is not used any more, but not freed yet, is not
 * charged to the namespace. @size is as it was allocated.
 */
void nft_dict_uncharge(struct nft_dict_table *t, size_t size)
{
	long bytes = nft_dict_charge(size);

	atomic_long_sub(bytes, &t->bytes);
	atomic_long_sub(bytes, &t->dn->bytes);
}

/* nft_dict_free - free what nobody has seen. */
void nft_dict_free(struct nft_dict_table *t, void *p, size_t size)
{
	nft_dict_uncharge(t, size);
	kfree(p);
}
