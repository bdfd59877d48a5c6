/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/fast.h"

#include "agent/base/mem.h"
#include "agent/parse/chars.h"
#include "agent/parse/number.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* --- for any machine ---------------------------------------------------- */

#define ISA(name) name##_portable
#define TARGET

/* The high bit of each byte that is 0, and no other bit. */
static inline uint64_t zero_bytes(uint64_t v)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

    return ~(((v & low) + low) | v | low);
}

static inline uint64_t bytes_that_are(uint64_t v, char c)
{
    return zero_bytes(v ^ (UINT64_C(0x0101010101010101) * (unsigned char)c));
}

/* High bits to one byte, the first byte's bit lowest (little-endian). */
static inline uint64_t gather(uint64_t high)
{
    return ((high >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

static inline uint64_t word_at(const char *at)
{
    uint64_t v = 0;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&v, at, 8);
#else
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)(unsigned char)at[i] << (8 * i);
#endif
    return v;
}

static inline struct block block_portable(const char *at)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    struct block b = {0, 0, 0};

    for (unsigned i = 0; i < 64; i += 8) {
        const uint64_t v = word_at(at + i);

        b.quote |= gather(bytes_that_are(v, '"')) << i;
        b.lf |= gather(bytes_that_are(v, '\n')) << i;
        b.odd |= gather(bytes_that_are(v, '\\') | (v & high)) << i;
    }
    return b;
}

static inline bool differ_portable(const char *a, const char *b, uint32_t len)
{
    return memcmp(a, b, len) != 0;
}

static inline uint32_t digit_portable(const char *at)
{
    uint32_t m = 0;

    for (unsigned i = 0; i < 32; i++)
        m |= is_digit(at[i]) ? (uint32_t)1 << i : 0;
    return m;
}

static inline struct number_bytes number_portable(const char *at,
                                                  uint32_t digit)
{
    struct number_bytes b = {digit, 0, 0, 0};

    for (unsigned i = 0; i < 32; i++) {
        const uint32_t bit = (uint32_t)1 << i;

        b.dot |= at[i] == '.' ? bit : 0;
        b.e |= (at[i] | 0x20) == 'e' ? bit : 0;
        b.sign |= at[i] == '+' || at[i] == '-' ? bit : 0;
    }
    return b;
}

/* Bits of 32 bytes: where `a` must be `b` and is not, or holds a byte that
 * cannot stand inside a plain value. */
static inline uint32_t unlike_portable(const char *a, const char *b,
                                       uint32_t skeleton, uint32_t inside)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t same = 0, odd = 0;

    for (unsigned i = 0; i < 32; i += 8) {
        const uint64_t v = word_at(a + i);

        same |= gather(zero_bytes(v ^ word_at(b + i))) << i;
        odd |= gather(bytes_that_are(v, '"') | bytes_that_are(v, '\\') |
                      bytes_that_are(v, '\n') | (v & high))
               << i;
    }
    return (~(uint32_t)same & skeleton) | ((uint32_t)odd & inside);
}

static inline uint32_t lf_portable(const char *at)
{
    uint32_t n = 0;

    while (n < 32 && at[n] != '\n')
        n++;
    return n;
}

#include "agent/parse/fast_lines.h"
#undef ISA
#undef TARGET

#if defined(__x86_64__)
/* --- any x86-64 --------------------------------------------------------- */

#define ISA(name) name##_sse2
#define TARGET

static inline uint64_t mask16(__m128i v)
{
    return (uint32_t)_mm_movemask_epi8(v);
}

static inline __m128i load16(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline uint64_t eq16(__m128i v, char c)
{
    return mask16(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

static inline struct block block_sse2(const char *at)
{
    struct block b = {0, 0, 0};

    for (unsigned i = 0; i < 64; i += 16) {
        const __m128i v = load16(at + i);

        b.quote |= eq16(v, '"') << i;
        b.lf |= eq16(v, '\n') << i;
        b.odd |= (eq16(v, '\\') | mask16(v)) << i;
    }
    return b;
}

static inline bool differ_sse2(const char *a, const char *b, uint32_t len)
{
    const uint64_t low = mask16(_mm_cmpeq_epi8(load16(a), load16(b))) |
                         mask16(_mm_cmpeq_epi8(load16(a + 16), load16(b + 16)))
                             << 16;

    return (~low & ((UINT64_C(1) << len) - 1)) != 0;
}

/* Bytes from '0' to '9', as signed numbers: ASCII is all that counts. */
static inline uint64_t digits16(__m128i v)
{
    return mask16(_mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('0' - 1)),
                                _mm_cmplt_epi8(v, _mm_set1_epi8('9' + 1))));
}

static inline uint32_t digit_sse2(const char *at)
{
    return (uint32_t)(digits16(load16(at)) | digits16(load16(at + 16)) << 16);
}

static inline struct number_bytes number_sse2(const char *at, uint32_t digit)
{
    const __m128i lower = _mm_set1_epi8(0x20);
    struct number_bytes b = {digit, 0, 0, 0};

    for (unsigned i = 0; i < 32; i += 16) {
        const __m128i v = load16(at + i);

        b.dot |= (uint32_t)(eq16(v, '.') << i);
        b.e |= (uint32_t)(eq16(_mm_or_si128(v, lower), 'e') << i);
        b.sign |= (uint32_t)((eq16(v, '+') | eq16(v, '-')) << i);
    }
    return b;
}

static inline uint64_t odd16(__m128i v)
{
    const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    const __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    const __m128i lf = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));

    return mask16(
        _mm_or_si128(_mm_or_si128(quote, slash), _mm_or_si128(lf, v)));
}

static inline uint32_t unlike_sse2(const char *a, const char *b,
                                   uint32_t skeleton, uint32_t inside)
{
    const __m128i low = load16(a), high = load16(a + 16);
    const uint64_t same = mask16(_mm_cmpeq_epi8(low, load16(b))) |
                          mask16(_mm_cmpeq_epi8(high, load16(b + 16))) << 16;
    const uint64_t odd = odd16(low) | odd16(high) << 16;

    return (~(uint32_t)same & skeleton) | ((uint32_t)odd & inside);
}

static inline uint32_t lf_sse2(const char *at)
{
    const uint64_t m = eq16(load16(at), '\n') | eq16(load16(at + 16), '\n')
                                                    << 16;

    return m ? (uint32_t)__builtin_ctzll(m) : 32;
}

#include "agent/parse/fast_lines.h"
#undef ISA
#undef TARGET

/* --- x86-64-v3 ---------------------------------------------------------- */

#define ISA(name) name##_avx2
#define TARGET    __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))

TARGET static inline uint32_t mask32(__m256i v)
{
    return (uint32_t)_mm256_movemask_epi8(v);
}

TARGET static inline __m256i load32(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

TARGET static inline uint32_t eq32(__m256i v, char c)
{
    return mask32(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(c)));
}

TARGET static inline uint32_t odd32(__m256i v)
{
    /* The high bit of a byte is what movemask takes anyway. */
    return mask32(
        _mm256_or_si256(v, _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))));
}

TARGET static inline struct block block_avx2(const char *at)
{
    const __m256i a = load32(at), b = load32(at + 32);

    return (struct block){
        .quote = eq32(a, '"') | (uint64_t)eq32(b, '"') << 32,
        .lf = eq32(a, '\n') | (uint64_t)eq32(b, '\n') << 32,
        .odd = odd32(a) | (uint64_t)odd32(b) << 32,
    };
}

TARGET static inline bool differ_avx2(const char *a, const char *b,
                                      uint32_t len)
{
    const uint32_t same = mask32(_mm256_cmpeq_epi8(load32(a), load32(b)));

    return (~(uint64_t)same & ((UINT64_C(1) << len) - 1)) != 0;
}

TARGET static inline uint32_t digit_avx2(const char *at)
{
    const __m256i from_0 = _mm256_sub_epi8(load32(at), _mm256_set1_epi8('0'));
    const __m256i nine = _mm256_set1_epi8(9);

    return mask32(_mm256_cmpeq_epi8(_mm256_min_epu8(from_0, nine), from_0));
}

TARGET static inline struct number_bytes number_avx2(const char *at,
                                                     uint32_t digit)
{
    const __m256i v = load32(at);

    return (struct number_bytes){
        .digit = digit,
        .dot = eq32(v, '.'),
        .e = eq32(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), 'e'),
        .sign = eq32(v, '+') | eq32(v, '-'),
    };
}

TARGET static inline uint32_t unlike_avx2(const char *a, const char *b,
                                          uint32_t skeleton, uint32_t inside)
{
    const __m256i v = load32(a);
    const __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    const __m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
    const __m256i lf = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n'));
    const uint32_t odd = mask32(
        _mm256_or_si256(_mm256_or_si256(quote, slash), _mm256_or_si256(lf, v)));
    const uint32_t same = mask32(_mm256_cmpeq_epi8(v, load32(b)));

    return (~same & skeleton) | (odd & inside);
}

TARGET static inline uint32_t lf_avx2(const char *at)
{
    const uint32_t m = eq32(load32(at), '\n');

    return m ? (uint32_t)__builtin_ctz(m) : 32;
}

#include "agent/parse/fast_lines.h"
#undef ISA
#undef TARGET
#endif

/* --- one of them -------------------------------------------------------- */

typedef const char *lines_fn(struct parser *p, const char *at, const char *end);

static bool have_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
#else
    return false;
#endif
}

static lines_fn *best(void)
{
#if defined(__x86_64__)
    return have_avx2() ? lines_avx2 : lines_sse2;
#else
    return lines_portable;
#endif
}

static lines_fn *by_name(const char *name)
{
    if (strcmp(name, "portable") == 0)
        return lines_portable;
#if defined(__x86_64__)
    if (strcmp(name, "sse2") == 0)
        return lines_sse2;
    if (strcmp(name, "avx2") == 0 && have_avx2())
        return lines_avx2;
#endif
    return NULL;
}

static lines_fn *chosen;

bool fast_use(const char *name)
{
    lines_fn *fn = name ? by_name(name) : best();

    if (fn)
        chosen = fn;
    return fn != NULL;
}

struct fast *fast_new(void)
{
    struct fast *f = xcalloc(1, sizeof(*f));

    f->lines = chosen ? chosen : best();
    return f;
}

void fast_free(struct fast *f)
{
    free(f);
}

const char *fast_lines(struct parser *p, const char *at, const char *end)
{
    return p->fast->lines(p, at, end);
}
