// SPDX-License-Identifier: GPL-2.0-only
#include "nft_dict.h"

int nft_dict_proc_init(struct nft_dict_net *dn)
{
	return 0;
}

void nft_dict_proc_exit(struct nft_dict_net *dn)
{
}
