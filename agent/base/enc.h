/* SPDX-License-Identifier: Apache-2.0 */
/* enc.h - hex, base64 and percent-encoding, onto a buffer. */
#ifndef AGENT_BASE_ENC_H
#define AGENT_BASE_ENC_H

#include "agent/base/buf.h"

void enc_hex(struct buf *out, const void *p, size_t n); /* lower case */
void enc_base64(struct buf *out, const void *p, size_t n);
void enc_base64url(struct buf *out, const void *p, size_t n); /* no padding */
bool dec_base64(struct buf *out, struct str s); /* either alphabet */
/* RFC 3986: all but A-Za-z0-9-_.~ and the bytes of `keep` become %XX. */
void enc_percent(struct buf *out, struct str s, const char *keep);
bool dec_percent(struct buf *out, struct str s); /* false on a bad escape */

#endif
