/* SPDX-License-Identifier: MIT */
/* Writes bundles: see hv/bundle.h for what is in one. */
#ifndef PACK_H
#define PACK_H

#include <hv/bundle.h>

/* token: HV_BUNDLE_TOKEN hex digits, or NULL. False after a message; *bundle.data is freed by the
 * caller. */
bool pack_bundle(
	const struct hv_guest *guest, const char *token, bool stats, struct hv_blob *bundle);

#endif
