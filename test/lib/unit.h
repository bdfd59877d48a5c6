/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h - cmocka, behind the headers that it wants to have seen (and that a
 * formatter which sorts includes would put after it).
 */
#ifndef TEST_LIB_UNIT_H
#define TEST_LIB_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#endif
