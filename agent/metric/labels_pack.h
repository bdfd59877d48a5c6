/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels_pack.h - inside a label set; for the labels*.c files only.
 *
 * Packed pairs are, twice a pair, the length (7 bits a byte, lowest first, the
 * top bit set on all but the last) and the bytes.
 */
#ifndef AGENT_METRIC_LABELS_PACK_H
#define AGENT_METRIC_LABELS_PACK_H

#include <stddef.h>
#include <stdint.h>

uint64_t labels_hash_packed(const unsigned char *p, size_t n);

#endif
