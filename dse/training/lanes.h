// Vectors of 16 floats and their way to and from float32 and bfloat16 memory.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#define MASKED_MEMORY
#endif
#if defined(__AVX512BF16__) || defined(MASKED_MEMORY)
#include <immintrin.h>
#endif

namespace {

constexpr int64_t kLanes = 16;

typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef int32_t Bits __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Words __attribute__((vector_size(4 * kLanes)));
typedef uint16_t Halves __attribute__((vector_size(2 * kLanes)));

struct Bfloat16 {
    uint16_t bits;
};

Vec widen(Halves h) { return (Vec)(__builtin_convertvector(h, Words) << 16); }

// To nearest even; a NaN stays one.
Words rounded(Vec v) {
    Words w = (Words)v;
    return v == v ? w + 0x7fff + ((w >> 16) & 1) : w | 0x400000;
}

#ifdef __AVX512BF16__
Halves narrow(Vec v) { return (Halves)_mm512_cvtneps_pbh((__m512)v); }
#else
Halves narrow(Vec v) { return __builtin_convertvector(rounded(v) >> 16, Halves); }
#endif

Vec load(const float* p) {
    Vec v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }

Vec load(const Bfloat16* p) {
    Halves h;
    std::memcpy(&h, p, sizeof h);
    return widen(h);
}

void store(Bfloat16* p, Vec v) {
    Halves h = narrow(v);
    std::memcpy(p, &h, sizeof h);
}

// The last channels of a pixel, where fewer than a vector are left. Stores are of sizes that the compiler knows: where
// masked stores are slow (Zen 4), a layer of 8 channels takes them for every pixel.
#ifdef MASKED_MEMORY
__mmask16 first(int64_t n) { return (__mmask16)((1u << n) - 1); }
Vec load_first(const float* p, int64_t n) { return (Vec)_mm512_maskz_loadu_ps(first(n), p); }
Vec load_first(const Bfloat16* p, int64_t n) { return widen((Halves)_mm256_maskz_loadu_epi16(first(n), p)); }
#else
template <class E>
Vec load_first(const E* p, int64_t n) {
    E part[kLanes] = {};
    std::memcpy(part, p, n * sizeof(E));
    return load(part);
}
#endif

template <class E>
void store_first(E* p, Vec v, int64_t n) {
    E part[kLanes];
    store(part, v);
    const E* from = part;
    if (n & 8) std::memcpy(p, from, 8 * sizeof(E)), p += 8, from += 8;
    if (n & 4) std::memcpy(p, from, 4 * sizeof(E)), p += 4, from += 4;
    if (n & 2) std::memcpy(p, from, 2 * sizeof(E)), p += 2, from += 2;
    if (n & 1) std::memcpy(p, from, sizeof(E));
}

template <class E>
Vec load(const E* p, int64_t n) {
    return __builtin_expect(n >= kLanes, 1) ? load(p) : load_first(p, n);
}

template <class E>
void store(E* p, Vec v, int64_t n) {
    if (__builtin_expect(n >= kLanes, 1)) return store(p, v);
    store_first(p, v, n);
}

Vec zero() { return Vec{}; }

}  // namespace
